package dpserve.controller;

import dpserve.io.WireRid;
import dpserve.io.codec.TextSpan;
import java.util.Arrays;

/**
 * A text for each of a number of slots, as UTF-8 in one array: those of ordinary length are kept and dropped without an object
 * for any, which a collector would have to copy. Not thread-safe.
 */
final class TextSlots {

    /** A power of two that a wire rid fits whose user's part is a UUID: 55 characters, and a byte for their number. */
    private static final int WIDTH = 64;

    private static final byte EMPTY = 0;

    /** In place of a length: the text is too long for its place. */
    private static final byte LONGER = -1;

    private final byte[] texts;
    private final int slots;

    /** Those that are too long; null until there is one. */
    private byte[][] longer;

    /** All of them empty. */
    TextSlots(int slots) {
        this.slots = slots;
        this.texts = new byte[Math.multiplyExact(slots, WIDTH)];
    }

    int slots() {
        return slots;
    }

    boolean isEmpty(int slot) {
        return texts[slot * WIDTH] == EMPTY;
    }

    void set(int slot, TextSpan text) {
        clear(slot);
        int at = slot * WIDTH;
        int length = text.length();
        if (length > 0 && length < WIDTH) {
            texts[at] = (byte) length;
            System.arraycopy(text.utf8(), text.from(), texts, at + 1, length);
            return;
        }
        texts[at] = LONGER;
        longer = longer == null ? new byte[slots][] : longer;
        longer[slot] = Arrays.copyOfRange(text.utf8(), text.from(), text.to());
    }

    void clear(int slot) {
        if (texts[slot * WIDTH] == LONGER) {
            longer[slot] = null;
        }
        texts[slot * WIDTH] = EMPTY;
    }

    /** Whether the slot holds this text; an empty one holds none. */
    boolean is(int slot, TextSpan text) {
        int at = slot * WIDTH;
        int length = texts[at];
        if (length == LONGER) {
            return Arrays.equals(longer[slot], 0, longer[slot].length, text.utf8(), text.from(), text.to());
        }
        return length > 0
                && length == text.length()
                && Arrays.equals(texts, at + 1, at + 1 + length, text.utf8(), text.from(), text.to());
    }

    /** Whether the slot holds a rid of this user, see {@link WireRid#isOfUser}; an empty one holds none. */
    boolean isOfUser(int slot, byte[] userRid) {
        int at = slot * WIDTH;
        int length = texts[at];
        if (length == LONGER) {
            return WireRid.isOfUser(longer[slot], 0, longer[slot].length, userRid);
        }
        return length != EMPTY && WireRid.isOfUser(texts, at + 1, at + 1 + length, userRid);
    }

    /** The text of a slot that is not empty; of use until the slot changes. */
    TextSpan span(int slot) {
        int at = slot * WIDTH;
        return texts[at] == LONGER
                ? new TextSpan(longer[slot], 0, longer[slot].length)
                : new TextSpan(texts, at + 1, at + 1 + texts[at]);
    }

    /** The text of a slot, null if it is empty. */
    String text(int slot) {
        return isEmpty(slot) ? null : span(slot).toString();
    }

    /** {@link WireRid#hash64} of the text of a slot that is not empty. */
    long hash64(int slot) {
        TextSpan span = span(slot);
        return WireRid.hash64(span.utf8(), span.from(), span.to());
    }
}
