package dpserve.io.codec;

/** The hash of a prompt's prefix, one token after the other; a controller compares prefixes by it. */
public final class PrefixHash {
    private static final long PRIME = 0x9e3779b97f4a7c15L;

    /** Shorter prefixes are not worth a detour: chat templates alone have some tens of equal tokens. */
    public static final int BLOCK_TOKENS = 64;

    /** Prompts that agree in their first 4,096 tokens are taken to agree. */
    public static final int MAX_BLOCKS = 64;

    /** Hash of no token. */
    static final long START = PRIME;

    private PrefixHash() {}

    static long extend(long hash, long tokenId) {
        long h = (hash ^ tokenId) * PRIME;
        return h ^ h >>> 29;
    }

    /** 0 marks an empty entry in a table of prefixes. */
    static long finish(long hash) {
        return hash == 0 ? 1 : hash;
    }

    /** One hash for each whole block of {@link #BLOCK_TOKENS}, at most {@link #MAX_BLOCKS}, shortest prefix first. */
    public static long[] of(int[] ids) {
        long[] hashes = new long[Math.min(MAX_BLOCKS, ids.length / BLOCK_TOKENS)];
        long h = START;
        for (int block = 0; block < hashes.length; block++) {
            for (int i = block * BLOCK_TOKENS; i < (block + 1) * BLOCK_TOKENS; i++) {
                h = extend(h, ids[i]);
            }
            hashes[block] = finish(h);
        }
        return hashes;
    }
}
