package dpserve.controller;

import dpserve.io.codec.TextSpan;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Where in a map a wire rid belongs. Computed from the characters at its end: the worker's running number, the attempt, and digits
 * of the worker's incarnation. They tell attempts apart, and no user has a say in them.
 */
final class RidKey {
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    /** Two odd numbers without a pattern, that of the golden ratio and another: multiplying by them spreads every bit upwards. */
    private static final long FACTOR = 0x9E3779B97F4A7C15L;

    private static final long OTHER_FACTOR = 0xC2B2AE3D27D4EB4FL;

    private RidKey() {}

    static int of(TextSpan rid) {
        byte[] utf8 = rid.utf8();
        int to = rid.to();
        long end = 0;
        long before = 0;
        if (rid.length() >= 2 * Long.BYTES) {
            end = (long) LONG.get(utf8, to - Long.BYTES);
            before = (long) LONG.get(utf8, to - 2 * Long.BYTES);
        } else { // no wire rid is so short
            for (int i = rid.from(); i < to; i++) {
                before = before << Byte.SIZE | end >>> (Long.SIZE - Byte.SIZE);
                end = end << Byte.SIZE | utf8[i] & 0xff;
            }
        }
        long mixed = (end ^ (end >>> 32)) * FACTOR + (before ^ (before >>> 32)) * OTHER_FACTOR;
        return (int) (mixed >>> 32);
    }
}
