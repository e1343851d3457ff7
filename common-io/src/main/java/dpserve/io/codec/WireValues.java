package dpserve.io.codec;

import dpserve.io.codec.CodecException.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Values whose shape the protocol leaves open: passed over, or read as plain Java values; at most 16 deep. */
final class WireValues {
    private WireValues() {}

    /** Passes over one value of any kind. */
    static void skip(WireScanner in, String field) throws CodecException {
        skip(in, field, 0);
    }

    private static void skip(WireScanner in, String field, int depth) throws CodecException {
        if (depth > WireLimits.MAX_DEPTH) {
            throw new CodecException(Kind.TOO_DEEP, field + " is nested deeper than " + WireLimits.MAX_DEPTH);
        }
        int b = in.peek(field);
        if (WireScanner.isArray(b)) {
            for (int i = in.array(field); i > 0; i--) {
                skip(in, field, depth + 1);
            }
        } else if (WireScanner.isMap(b)) {
            for (int i = in.map(field); i > 0; i--) {
                skip(in, field, depth + 1);
                skip(in, field, depth + 1);
            }
        } else {
            skipScalar(in, b, field);
        }
    }

    private static void skipScalar(WireScanner in, int b, String field) throws CodecException {
        if (b == 0xc0 || b == 0xc2 || b == 0xc3) {
            in.advance(1);
        } else if (WireScanner.isInt(b) || b == 0xca || b == 0xcb) {
            in.number(field);
        } else if (WireScanner.isText(b)) {
            in.advance(in.textHeader(field));
        } else if (b >= 0xc4 && b <= 0xc6) {
            in.advance(in.binHeader(field));
        } else {
            in.advance(in.extHeader(WireScanner.ANY_EXT, field));
        }
    }

    /** A generic value: null, Boolean, Long, Double, String, List or Map with text keys; bytes become null. */
    static Object value(WireScanner in, String field) throws CodecException {
        return value(in, field, 0);
    }

    private static Object value(WireScanner in, String field, int depth) throws CodecException {
        if (depth > WireLimits.MAX_DEPTH) {
            throw new CodecException(Kind.TOO_DEEP, field + " is nested deeper than " + WireLimits.MAX_DEPTH);
        }
        int b = in.peek(field);
        if (WireScanner.isArray(b)) {
            int length = in.array(field);
            List<Object> list = new ArrayList<>();
            for (int i = 0; i < length; i++) {
                list.add(value(in, field, depth + 1));
            }
            return list;
        }
        if (WireScanner.isMap(b)) {
            int entries = in.map(field);
            Map<String, Object> map = new LinkedHashMap<>();
            for (int i = 0; i < entries; i++) {
                map.put(in.text(field), value(in, field, depth + 1));
            }
            return map;
        }
        if (b == 0xc2 || b == 0xc3) {
            return in.bool(field);
        }
        if (b == 0xca || b == 0xcb) {
            return in.number(field);
        }
        if (WireScanner.isInt(b)) {
            return in.integer(field);
        }
        if (WireScanner.isText(b)) {
            return in.text(field);
        }
        skipScalar(in, b, field);
        return null;
    }
}
