package dpserve.router.http;

import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.util.Arrays;

/**
 * Cuts a body of server-sent events into the values of its {@code data} lines as its pieces arrive. Every byte is looked at
 * once and copied once. The servers meant here write each event as one data line; other fields are passed over.
 */
public final class SseParser {
    private static final int FIRST_SIZE = 4096;

    private byte[] line = new byte[FIRST_SIZE];
    private int length;

    /** Takes the value of one data line, from {@code from} to {@code to}; the array is valid during the call only. */
    public interface Sink {
        /** @throws IOException if the value cannot be read */
        void data(byte[] bytes, int from, int to) throws IOException;
    }

    /**
     * Reads all of the piece.
     *
     * @throws IOException of the sink; what follows in the piece is then not read
     */
    public void feed(ByteBuf piece, Sink sink) throws IOException {
        while (piece.isReadable()) {
            int newline = piece.indexOf(piece.readerIndex(), piece.writerIndex(), (byte) '\n');
            int end = newline < 0 ? piece.writerIndex() : newline;
            append(piece, end - piece.readerIndex());
            if (newline >= 0) {
                piece.skipBytes(1);
                endOfLine(sink);
            }
        }
    }

    private void append(ByteBuf piece, int count) {
        if (length + count > line.length) {
            line = Arrays.copyOf(line, Math.max(length + count, line.length * 2));
        }
        piece.readBytes(line, length, count);
        length += count;
    }

    private void endOfLine(Sink sink) throws IOException {
        int to = length > 0 && line[length - 1] == '\r' ? length - 1 : length;
        length = 0;
        if (to < 5 || line[0] != 'd' || line[1] != 'a' || line[2] != 't' || line[3] != 'a' || line[4] != ':') {
            return;
        }
        int from = to > 5 && line[5] == ' ' ? 6 : 5;
        if (from < to) {
            sink.data(line, from, to);
        }
    }
}
