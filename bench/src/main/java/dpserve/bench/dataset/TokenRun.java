package dpserve.bench.dataset;

/**
 * A stretch of a prompt's tokens, described so that a row stays small until its tokens are needed: a trace of 15,000-token
 * prompts or a million simulated requests costs some bytes a row.
 */
public sealed interface TokenRun {

    /** Number of tokens. */
    int length();

    /**
     * Word tokens drawn with a seed; equal seeds give equal tokens, and a shorter run is a prefix of a longer one.
     *
     * @param seed already mixed by {@link Seeds#mix}
     */
    record Words(long seed, int length) implements TokenRun {}

    /** Counting ids from {@code first}, modulo the number of ordinary tokens (upstream's random-ids). */
    record Counting(long first, int length) implements TokenRun {}

    /** The ids themselves; the array is shared, never changed. */
    record Literal(int[] ids) implements TokenRun {
        @Override
        public int length() {
            return ids.length;
        }
    }
}
