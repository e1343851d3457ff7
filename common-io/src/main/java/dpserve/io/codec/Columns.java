package dpserve.io.codec;

import dpserve.io.codec.CodecException.Kind;
import dpserve.io.message.FinishReason;
import java.util.List;
import java.util.Map;

/** The parallel arrays of output batches. Each reader checks that the column has as many entries as there are rids. */
final class Columns {
    private static final int[][] NO_LISTS = {};

    private Columns() {}

    /** Texts that may be nil; null for nil. */
    static String[] optTexts(WireScanner in, String field) throws CodecException {
        if (in.nil()) {
            return null;
        }
        String[] values = new String[in.array(field)];
        for (int i = 0; i < values.length; i++) {
            values[i] = in.optText(field);
        }
        return values;
    }

    static String[] texts(WireScanner in, int size, String field) throws CodecException {
        String[] values = new String[sized(in, size, field)];
        for (int i = 0; i < size; i++) {
            values[i] = in.text(field);
        }
        return values;
    }

    static int[] ints(WireScanner in, int size, String field) throws CodecException {
        int[] values = new int[sized(in, size, field)];
        for (int i = 0; i < size; i++) {
            values[i] = in.int32(field);
        }
        return values;
    }

    /** Ints that SGLang may leave out altogether: nil or absent becomes zeros. */
    static int[] intsOrZeros(WireScanner in, boolean present, int size, String field) throws CodecException {
        return present && !in.nil() ? ints(in, size, field) : new int[size];
    }

    /** Lists of {@code each} numbers; entries may be nil. What is missing at a list's end is 0, what is too much is passed over. */
    static double[][] float64Lists(WireScanner in, int size, String field, int each) throws CodecException {
        double[][] lists = new double[sized(in, size, field)][];
        for (int i = 0; i < size; i++) {
            if (!in.nil()) {
                lists[i] = new double[each];
                int length = in.array(field);
                for (int k = 0; k < length; k++) {
                    double value = in.number(field);
                    if (k < each) {
                        lists[i][k] = value;
                    }
                }
            }
        }
        return lists;
    }

    static Integer[] optInts(WireScanner in, int size, String field) throws CodecException {
        if (in.nil()) {
            return null;
        }
        Integer[] values = new Integer[sized(in, size, field)];
        for (int i = 0; i < size; i++) {
            values[i] = in.optInt32(field);
        }
        return values;
    }

    static boolean[] bools(WireScanner in, int size, String field) throws CodecException {
        boolean[] values = new boolean[sized(in, size, field)];
        for (int i = 0; i < size; i++) {
            values[i] = in.bool(field);
        }
        return values;
    }

    static int[][] tokenIdLists(WireScanner in, int size, String field) throws CodecException {
        if (sized(in, size, field) == 0) {
            return NO_LISTS;
        }
        int[][] values = new int[size][];
        for (int i = 0; i < size; i++) {
            values[i] = TokenIds.read(in, field);
            if (values[i] == null) {
                throw new CodecException(Kind.WRONG_TYPE, field + " holds nil");
            }
        }
        return values;
    }

    static int sized(WireScanner in, int size, String field) throws CodecException {
        int length = in.array(field);
        if (length != size) {
            throw new CodecException(
                    Kind.WRONG_TYPE, field + " has " + length + " entries, there are " + size + " rids");
        }
        return length;
    }

    static void writeFinishReasons(WireWriter out, FinishReason[] reasons) {
        out.array(reasons.length);
        for (FinishReason reason : reasons) {
            writeFinishReason(out, reason);
        }
    }

    static void writeFinishReason(WireWriter out, FinishReason reason) {
        if (reason == null) {
            out.nil();
            return;
        }
        boolean abort = reason instanceof FinishReason.Abort;
        out.map(abort ? 4 : 2);
        out.text("type");
        out.text(reason.type());
        if (reason instanceof FinishReason.StopToken stop) {
            out.text("matched");
            out.integer(stop.matched());
        } else if (reason instanceof FinishReason.StopString stop) {
            out.text("matched");
            out.text(stop.matched());
        } else if (reason instanceof FinishReason.Length end) {
            out.text("length");
            out.integer(end.length());
        } else if (reason instanceof FinishReason.Abort end) {
            out.text("message");
            out.text(end.message());
            out.text("status_code");
            out.optInteger(end.statusCode());
            out.text("err_type");
            out.text(end.errType());
        }
    }

    static FinishReason[] finishReasons(WireScanner in, int size) throws CodecException {
        FinishReason[] reasons = new FinishReason[sized(in, size, "finished_reasons")];
        for (int i = 0; i < size; i++) {
            reasons[i] = finishReason(in, "finished_reasons");
        }
        return reasons;
    }

    static FinishReason finishReason(WireScanner in, String field) throws CodecException {
        if (in.nil()) {
            return null;
        }
        if (!(WireValues.value(in, field) instanceof Map<?, ?> map)) {
            throw WireScanner.wrongType(field, "a map");
        }
        Object type = map.get("type");
        if ("stop".equals(type)) {
            return stop(map.get("matched"), field);
        }
        if ("length".equals(type)) {
            return new FinishReason.Length(map.get("length") instanceof Long n ? clamp(n) : 0);
        }
        if ("abort".equals(type)) {
            return new FinishReason.Abort(
                    map.get("message") instanceof String s ? s : "Aborted",
                    map.get("status_code") instanceof Long n ? Integer.valueOf(clamp(n)) : null,
                    map.get("err_type") instanceof String s ? s : null);
        }
        throw new CodecException(Kind.BAD_VALUE, field + " has an unknown type");
    }

    private static FinishReason stop(Object matched, String field) throws CodecException {
        if (matched instanceof Long id) {
            return new FinishReason.StopToken(clamp(id));
        }
        if (matched instanceof String text) {
            return new FinishReason.StopString(text);
        }
        if (matched instanceof List<?> ids && !ids.isEmpty() && ids.get(ids.size() - 1) instanceof Long id) {
            return new FinishReason.StopToken(clamp(id));
        }
        throw new CodecException(Kind.BAD_VALUE, field + " matched neither an id nor a text");
    }

    private static int clamp(long value) {
        return (int) Math.max(Integer.MIN_VALUE, Math.min(Integer.MAX_VALUE, value));
    }
}
