package dpserve.bench;

/** Checks of what flags were given. */
public final class Flags {
    private Flags() {}

    /**
     * @param message names the flag and what it must be
     * @throws IllegalArgumentException with this message if it does not hold
     */
    public static void require(boolean holds, String message) {
        if (!holds) {
            throw new IllegalArgumentException(message);
        }
    }
}
