package dpserve.detokenizer;

import dpserve.io.message.FinishReason;

/**
 * The text state of one request: what is needed to go on decoding, independent of how long the text is.
 *
 * <p>The text of a reply is the text of prompt and output without as many code points at its front as the prompt's own
 * text has (SGLang's rule). It matters only where a prompt ends inside a character: the prompt's text then has a U+FFFD
 * for the part, and the character that the output completes takes its place instead of appearing in the reply.
 */
final class IncrementalText {
    /** A stop string is found across the border of two emissions if it has at most this many characters. */
    static final int TAIL_CHARS = 128;

    /** Bytes of a character that is not complete yet, at most 3. */
    private final byte[] pending = new byte[3];

    private int pendingLength;

    /** Code points at the front of what comes next that belong to the prompt's text. */
    private int promptCodePoints;

    /** Text before the first token that is not given out yet. */
    private String seed;

    /** The end of the text given out so far. */
    private final StringBuilder tail = new StringBuilder();

    /** PULL endpoint of the tokenizer worker that it is for; null if unknown. */
    final String httpWorkerIpc;

    /** @param seed text that comes before the first token, part of the reply; normally "" */
    IncrementalText(String seed, String httpWorkerIpc) {
        this.seed = seed;
        this.httpWorkerIpc = httpWorkerIpc;
    }

    /** Puts back what was left over; the caller then appends the bytes of the new tokens. */
    void begin(ByteBuilder bytes) {
        bytes.clear();
        bytes.append(pending, 0, pendingLength);
    }

    /** The bytes so far are the prompt's: keeps only a character that is not complete. */
    void primed(ByteBuilder bytes) {
        bytes.removeBefore(bytes.completeLength());
        String part = bytes.text(bytes.length());
        promptCodePoints = part.codePointCount(0, part.length());
    }

    /** The text that is complete now. */
    String advance(ByteBuilder bytes) {
        int complete = bytes.completeLength();
        pendingLength = bytes.length() - complete;
        for (int i = 0; i < pendingLength; i++) {
            pending[i] = bytes.at(complete + i);
        }
        String text = take(bytes, complete);
        tail.append(text);
        if (tail.length() > 2 * TAIL_CHARS) {
            tail.delete(0, tail.length() - TAIL_CHARS);
        }
        return text;
    }

    /**
     * All text that is left, cut at the stop string that ended the request. Normally the scheduler has held back
     * whatever might become a stop string, so that the match lies within this text; one that begins in text given out
     * before leaves nothing.
     *
     * @param trimStop false with no_stop_trim
     */
    String finish(ByteBuilder bytes, FinishReason reason, boolean trimStop) {
        String text = take(bytes, bytes.length());
        if (!trimStop
                || !(reason instanceof FinishReason.StopString stop)
                || stop.matched().isEmpty()) {
            return text;
        }
        int before = tail.length();
        String joined = tail.append(text).toString();
        int at = joined.indexOf(
                stop.matched(), Math.max(0, before - stop.matched().length() + 1));
        return at < 0 ? text : text.substring(0, Math.max(0, at - before));
    }

    private String take(ByteBuilder bytes, int end) {
        String text = bytes.text(end);
        if (promptCodePoints > 0 && !text.isEmpty()) {
            text = text.substring(
                    text.offsetByCodePoints(0, Math.min(promptCodePoints, text.codePointCount(0, text.length()))));
            promptCodePoints = 0;
        }
        if (!seed.isEmpty()) {
            text = seed + text;
            seed = "";
        }
        return text;
    }
}
