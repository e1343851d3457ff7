package dpserve.io.codec;

/** Bounds on what is decoded: docs/protocol.md section 7. */
public final class WireLimits {
    /** 64 MiB: a prompt of a million tokens takes 8 MiB. */
    public static final int MAX_FRAME_BYTES = 64 << 20;

    /** 16 MiB: far above any prompt's text. */
    public static final int MAX_TEXT_BYTES = 16 << 20;

    /** Deepest nesting of values that are skipped or read as generic values. */
    public static final int MAX_DEPTH = 16;

    private WireLimits() {}
}
