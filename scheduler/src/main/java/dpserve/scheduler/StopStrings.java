package dpserve.scheduler;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * Finds a request's stop strings in its output, on the bytes of the tokens: a match may begin and end inside tokens and
 * inside characters. Keeps no more of the output than the longest stop string needs.
 */
final class StopStrings {
    private final List<String> texts;
    private final byte[][] patterns;

    /** A match that is still to come can reach this many bytes back. */
    private final int keep;

    private byte[] tail;
    private int tailLength;

    /** @param stops in the order in which they are looked for; empty ones are passed over */
    StopStrings(List<String> stops) {
        texts = stops.stream().filter(s -> !s.isEmpty()).toList();
        patterns = texts.stream().map(s -> s.getBytes(StandardCharsets.UTF_8)).toArray(byte[][]::new);
        keep = Math.max(0, Arrays.stream(patterns).mapToInt(p -> p.length).max().orElse(0) - 1);
        tail = new byte[keep + 16];
    }

    /** Output of an earlier attempt: a match may begin in it, but one that lies wholly in it does not count. */
    void prime(byte[] bytes) {
        push(bytes);
        forget();
    }

    /**
     * Takes the bytes of the next token.
     *
     * @return the stop string they complete, the first of the list if there are several; null if none
     */
    String append(byte[] bytes) {
        int before = tailLength;
        push(bytes);
        String matched = null;
        for (int i = 0; i < patterns.length && matched == null; i++) {
            if (contains(patterns[i], Math.max(0, before - patterns[i].length + 1))) {
                matched = texts.get(i);
            }
        }
        forget();
        return matched;
    }

    /** Whether the output ends with a part of a stop string that further tokens may complete. */
    boolean endsInside() {
        for (byte[] pattern : patterns) {
            for (int n = Math.min(pattern.length - 1, tailLength); n > 0; n--) {
                if (Arrays.equals(tail, tailLength - n, tailLength, pattern, 0, n)) {
                    return true;
                }
            }
        }
        return false;
    }

    private void push(byte[] bytes) {
        if (tailLength + bytes.length > tail.length) {
            tail = Arrays.copyOf(tail, tailLength + bytes.length + keep);
        }
        System.arraycopy(bytes, 0, tail, tailLength, bytes.length);
        tailLength += bytes.length;
    }

    private void forget() {
        int excess = tailLength - keep;
        if (excess > 0) {
            System.arraycopy(tail, excess, tail, 0, keep);
            tailLength = keep;
        }
    }

    private boolean contains(byte[] pattern, int from) {
        for (int at = from; at + pattern.length <= tailLength; at++) {
            if (Arrays.equals(tail, at, at + pattern.length, pattern, 0, pattern.length)) {
                return true;
            }
        }
        return false;
    }
}
