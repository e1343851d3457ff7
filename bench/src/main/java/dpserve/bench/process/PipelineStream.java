package dpserve.bench.process;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * One connection of {@link PipelineMain}: asks for the same streamed completion again and again and compares the text, as
 * the server escaped it, with what it must be. As little work as a client can do, because it shares the machine with what is
 * measured: lines are taken where they lie, and of an event only the text is looked at.
 */
final class PipelineStream {
    private static final byte[] TEXT = "\"text\":\"".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] DATA = "data: ".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] DONE = "data: [DONE]".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] OK = "HTTP/1.1 200".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] STATUS = "HTTP/1.1 ".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] LAST_CHUNK = "0\r".getBytes(StandardCharsets.US_ASCII);

    /** What all streams have done; the differences of two moments are what is reported. */
    static final class Totals {
        long events;
        long textBytes;
        long bytes;
        long requests;
        long wrong;
        String firstWrong;
    }

    final SocketChannel channel;
    private final byte[] request;
    private final byte[] expected;
    private final Totals totals;
    private byte[] rest = new byte[1024];
    private int restLength;
    private int textAt;
    private boolean differs;
    private boolean doneSeen;
    private boolean idle = true;
    private long sentNs;
    private long firstEventNs;

    /** @param expected the whole text of a reply, escaped as in JSON */
    PipelineStream(SocketChannel channel, byte[] request, byte[] expected, Totals totals) {
        this.channel = channel;
        this.request = request;
        this.expected = expected;
        this.totals = totals;
    }

    /** Whether no reply is under way. */
    boolean isIdle() {
        return idle;
    }

    /** Sends the request. */
    void send(long nowNs) throws IOException {
        ByteBuffer out = ByteBuffer.wrap(request);
        while (out.hasRemaining()) {
            channel.write(out); // a request fits the socket's empty buffer
        }
        idle = false;
        textAt = 0;
        differs = false;
        doneSeen = false;
        sentNs = nowNs;
        firstEventNs = 0;
    }

    /** From the request to the first event of the reply that has just ended. */
    long ttftNs() {
        return firstEventNs - sentNs;
    }

    /**
     * Takes bytes as they came.
     *
     * @return whether the reply is complete
     */
    boolean take(byte[] bytes, int length, long nowNs) {
        totals.bytes += length;
        boolean complete = false;
        int from = 0;
        for (int i = 0; i < length; i++) {
            if (bytes[i] != '\n') {
                continue;
            }
            if (restLength > 0) {
                keep(bytes, from, i);
                complete |= line(rest, 0, restLength, nowNs);
                restLength = 0;
            } else {
                complete |= line(bytes, from, i, nowNs);
            }
            from = i + 1;
        }
        keep(bytes, from, length);
        return complete;
    }

    private void keep(byte[] bytes, int from, int to) {
        if (restLength + to - from > rest.length) {
            rest = Arrays.copyOf(rest, Math.max(2 * rest.length, restLength + to - from));
        }
        System.arraycopy(bytes, from, rest, restLength, to - from);
        restLength += to - from;
    }

    private boolean line(byte[] bytes, int from, int to, long nowNs) {
        if (startsWith(bytes, from, to, DATA)) {
            if (startsWith(bytes, from, to, DONE)) {
                doneSeen = true;
            } else {
                event(bytes, from, to, nowNs);
            }
        } else if (startsWith(bytes, from, to, STATUS) && !startsWith(bytes, from, to, OK)) {
            wrong(new String(bytes, from, to - from, StandardCharsets.UTF_8));
        } else if (doneSeen && to - from == LAST_CHUNK.length && startsWith(bytes, from, to, LAST_CHUNK)) {
            totals.requests++;
            if (differs || textAt != expected.length) {
                wrong("a text differs from what it must be at byte " + textAt);
            }
            idle = true;
            return true;
        }
        return false;
    }

    private void event(byte[] bytes, int from, int to, long nowNs) {
        totals.events++;
        if (firstEventNs == 0) {
            firstEventNs = nowNs;
        }
        int at = from + DATA.length;
        while (at < to && !startsWith(bytes, at, to, TEXT)) {
            at++;
        }
        int begin = at + TEXT.length;
        int end = begin;
        while (end < to && bytes[end] != '"') {
            end += bytes[end] == '\\' ? 2 : 1;
        }
        int count = Math.max(0, end - begin);
        differs |= textAt + count > expected.length
                || !Arrays.equals(bytes, begin, begin + count, expected, textAt, textAt + count);
        textAt = Math.min(expected.length, textAt + count);
        totals.textBytes += count;
    }

    private void wrong(String what) {
        totals.wrong++;
        if (totals.firstWrong == null) {
            totals.firstWrong = what;
        }
    }

    private static boolean startsWith(byte[] bytes, int from, int to, byte[] word) {
        if (to - from < word.length) {
            return false;
        }
        for (int i = 0; i < word.length; i++) {
            if (bytes[from + i] != word[i]) {
                return false;
            }
        }
        return true;
    }
}
