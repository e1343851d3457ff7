package dpserve.bench.fuzz;

import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Bytes near those of a corpus, or nothing like them, from a seed. Equal corpus and seed give equal bytes. */
public final class Mutator {
    /** One in so many is random throughout. */
    private static final int NOISE = 8;

    private static final int LONGEST_NOISE = 300;
    private static final int MOST_CHANGES = 6;
    private static final int LONGEST_RUN = 16;

    /** Values at which lengths, signs and msgpack's types change. */
    private static final int[] EDGES = {
        0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc4, 0xc6, 0xc7, 0xc9, 0xcb, 0xcf, 0xd3, 0xd9,
        0xdb, 0xdc, 0xdd, 0xdf, 0xe0, 0xff, '\r', '\n', '"', '{', '[', '\\', ':', '%'
    };

    private final List<byte[]> corpus;
    private final Random random;

    /** @param corpus at least one entry, none empty */
    public Mutator(List<byte[]> corpus, long seed) {
        this.corpus = List.copyOf(corpus);
        this.random = new Random(seed);
    }

    /** The next bytes, at least one. */
    public byte[] next() {
        if (random.nextInt(NOISE) == 0) {
            byte[] noise = new byte[1 + random.nextInt(LONGEST_NOISE)];
            random.nextBytes(noise);
            return noise;
        }
        byte[] bytes = any().clone();
        for (int changes = 1 + random.nextInt(MOST_CHANGES); changes > 0 && bytes.length > 0; changes--) {
            bytes = change(bytes);
        }
        return bytes.length == 0 ? new byte[1] : bytes;
    }

    private byte[] any() {
        return corpus.get(random.nextInt(corpus.size()));
    }

    private byte[] change(byte[] bytes) {
        int at = random.nextInt(bytes.length);
        switch (random.nextInt(7)) {
            case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
            case 1 -> bytes[at] = (byte) random.nextInt(256);
            case 2 -> bytes[at] = (byte) EDGES[random.nextInt(EDGES.length)];
            case 3 -> {
                return Arrays.copyOf(bytes, at);
            }
            case 4 -> {
                return spliced(bytes, at, at, run());
            }
            case 5 -> {
                return spliced(bytes, at, Math.min(bytes.length, at + 1 + random.nextInt(LONGEST_RUN)), new byte[0]);
            }
            default -> {
                byte[] other = any();
                int from = random.nextInt(other.length);
                return spliced(bytes, at, bytes.length, Arrays.copyOfRange(other, from, other.length));
            }
        }
        return bytes;
    }

    private byte[] run() {
        byte[] run = new byte[1 + random.nextInt(LONGEST_RUN)];
        if (random.nextBoolean()) {
            random.nextBytes(run);
        } else {
            Arrays.fill(run, (byte) EDGES[random.nextInt(EDGES.length)]);
        }
        return run;
    }

    /** The bytes with those from {@code from} to {@code to} replaced. */
    private static byte[] spliced(byte[] bytes, int from, int to, byte[] by) {
        byte[] result = new byte[from + by.length + bytes.length - to];
        System.arraycopy(bytes, 0, result, 0, from);
        System.arraycopy(by, 0, result, from, by.length);
        System.arraycopy(bytes, to, result, from + by.length, bytes.length - to);
        return result;
    }
}
