package dpserve.io.codec;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.msgpack.core.MessageBufferPacker;
import org.msgpack.core.MessagePack;

/** Writes msgpack values into one reused buffer. Not safe for several threads. */
final class WireWriter {
    /** Big enough that an ordinary message needs one buffer; long prompts add more. */
    private static final int BUFFER_BYTES = 16 << 10;

    private static final byte[] NILS = new byte[64];

    static {
        Arrays.fill(NILS, MessagePack.Code.NIL);
    }

    private static final MessagePack.PackerConfig CONFIG = new MessagePack.PackerConfig().withBufferSize(BUFFER_BYTES);

    private final MessageBufferPacker packer = CONFIG.newBufferPacker();
    private final IntArrayForm form;
    private byte[] scratch = new byte[BUFFER_BYTES];

    WireWriter(IntArrayForm form) {
        this.form = form;
    }

    void reset() {
        packer.clear();
    }

    byte[] toBytes() {
        return packer.toByteArray();
    }

    /** Begins a tagged struct of {@code length} elements, the tag included. */
    void struct(String tag, int length) {
        array(length);
        text(tag);
    }

    /** Begins the extension element with {@code entries} entries. */
    void ext(int entries) {
        array(2);
        text(ExtKeys.TAG);
        map(entries);
    }

    void array(int length) {
        io(() -> packer.packArrayHeader(length));
    }

    void map(int entries) {
        io(() -> packer.packMapHeader(entries));
    }

    void nil() {
        io(packer::packNil);
    }

    /** Outputs have dozens of them: copied, not packed one by one. */
    void nils(int count) {
        for (int left = count; left > 0; left -= NILS.length) {
            int some = Math.min(left, NILS.length);
            io(() -> packer.writePayload(NILS, 0, some));
        }
    }

    void bool(boolean value) {
        io(() -> packer.packBoolean(value));
    }

    void integer(long value) {
        io(() -> packer.packLong(value));
    }

    void optInteger(Number value) {
        if (value == null) {
            nil();
        } else {
            integer(value.longValue());
        }
    }

    void float64(double value) {
        io(() -> packer.packDouble(value));
    }

    /** An array with nil or an array of float64 for each entry. */
    void float64Lists(double[][] lists) {
        io(() -> {
            packer.packArrayHeader(lists.length);
            for (double[] list : lists) {
                if (list == null) {
                    packer.packNil();
                    continue;
                }
                packer.packArrayHeader(list.length);
                for (double value : list) {
                    packer.packDouble(value);
                }
            }
        });
    }

    void optFloat64(Double value) {
        if (value == null) {
            nil();
        } else {
            float64(value);
        }
    }

    /** Text, or nil for null. */
    void text(String value) {
        if (value == null) {
            nil();
        } else {
            io(() -> packer.packString(value));
        }
    }

    void texts(List<String> values) {
        array(values.size());
        values.forEach(this::text);
    }

    /** An array of texts whose entries may be null; nil for null. */
    void texts(String[] values) {
        if (values == null) {
            nil();
            return;
        }
        array(values.length);
        for (String value : values) {
            text(value);
        }
    }

    void ints(int[] values) {
        array(values.length);
        for (int value : values) {
            integer(value);
        }
    }

    void bools(boolean[] values) {
        array(values.length);
        for (boolean value : values) {
            bool(value);
        }
    }

    void optInts(Integer[] values) {
        if (values == null) {
            nil();
            return;
        }
        array(values.length);
        for (Integer value : values) {
            optInteger(value);
        }
    }

    /** One array of token ids in this writer's form; nil for null. */
    void tokenIds(int[] ids) {
        if (ids == null) {
            nil();
            return;
        }
        array(2);
        text(form.typecode());
        int bytes = Math.multiplyExact(ids.length, form.itemBytes());
        io(() -> packer.packBinaryHeader(bytes));
        if (scratch.length < bytes) {
            scratch = new byte[bytes];
        }
        int at = 0;
        for (int id : ids) {
            LittleEndian.putInt(scratch, at, id);
            if (form == IntArrayForm.INT64) {
                LittleEndian.putInt(scratch, at + 4, id >> 31);
            }
            at += form.itemBytes();
        }
        io(() -> packer.writePayload(scratch, 0, bytes));
    }

    void bytes(byte[] bytes) {
        io(() -> packer.packBinaryHeader(bytes.length));
        io(() -> packer.writePayload(bytes));
    }

    void tokenIdLists(int[][] lists) {
        if (lists == null) {
            nil();
            return;
        }
        array(lists.length);
        for (int[] ids : lists) {
            tokenIds(ids);
        }
    }

    /**
     * A generic value of internal_state.
     *
     * @throws IllegalArgumentException for a type the protocol does not carry
     */
    void value(Object value) {
        if (value == null) {
            nil();
        } else if (value instanceof String s) {
            text(s);
        } else if (value instanceof Boolean b) {
            bool(b);
        } else if (value instanceof Double || value instanceof Float) {
            float64(((Number) value).doubleValue());
        } else if (value instanceof Number n) {
            integer(n.longValue());
        } else if (value instanceof List<?> list) {
            array(list.size());
            list.forEach(this::value);
        } else if (value instanceof Map<?, ?> entries) {
            map(entries.size());
            entries.forEach((k, v) -> {
                text((String) k);
                value(v);
            });
        } else {
            throw new IllegalArgumentException(
                    "cannot encode a " + value.getClass().getName());
        }
    }

    private interface Write {
        void run() throws IOException;
    }

    /** The packer writes to memory, so an I/O error is a defect. */
    private static void io(Write write) {
        try {
            write.run();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
