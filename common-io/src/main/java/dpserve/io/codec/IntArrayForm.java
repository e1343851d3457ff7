package dpserve.io.codec;

/** How arrays of token ids are written. Decoders accept every form from anyone. */
public enum IntArrayForm {
    /** {@code ["q", bin of little-endian int64]}: what SGLang's processes expect. */
    INT64("q", 8),
    /** {@code ["i", bin of little-endian int32]}: half the bytes, between Java peers. */
    INT32("i", 4);

    private final String typecode;
    private final int itemBytes;

    IntArrayForm(String typecode, int itemBytes) {
        this.typecode = typecode;
        this.itemBytes = itemBytes;
    }

    /** Python's array typecode. */
    String typecode() {
        return typecode;
    }

    /** Bytes of one item. */
    int itemBytes() {
        return itemBytes;
    }

    /** Bytes of one item of an array with this typecode, or 0 if ids never come that way. */
    static int itemBytes(char typecode) {
        return switch (typecode) {
            case 'b', 'B' -> 1;
            case 'h', 'H' -> 2;
            case 'i', 'I' -> 4;
            // C long is 8 bytes on every platform SGLang runs on.
            case 'l', 'L', 'q', 'Q' -> 8;
            default -> 0;
        };
    }
}
