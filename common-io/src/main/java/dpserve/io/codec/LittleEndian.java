package dpserve.io.codec;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Numbers in byte arrays. */
final class LittleEndian {
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle SHORT = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);

    private LittleEndian() {}

    static void putInt(byte[] to, int at, int value) {
        INT.set(to, at, value);
    }

    static int getInt(byte[] from, int at) {
        return (int) INT.get(from, at);
    }

    static long getLong(byte[] from, int at) {
        return (long) LONG.get(from, at);
    }

    /** Whether no byte between the bounds has its highest bit set. */
    static boolean isAscii(byte[] bytes, int from, int to) {
        long bits = 0;
        int at = from;
        for (; at <= to - Long.BYTES; at += Long.BYTES) {
            bits |= getLong(bytes, at);
        }
        for (; at < to; at++) {
            bits |= bytes[at];
        }
        return (bits & 0x8080808080808080L) == 0;
    }

    static short getShort(byte[] from, int at) {
        return (short) SHORT.get(from, at);
    }
}
