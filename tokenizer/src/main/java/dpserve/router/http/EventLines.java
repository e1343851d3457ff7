package dpserve.router.http;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Cuts a body of server-sent events into the data of each; what comes may end anywhere. */
final class EventLines {
    private static final byte[] DATA = "data:".getBytes(StandardCharsets.US_ASCII);

    private final ByteArrayOutputStream begun = new ByteArrayOutputStream();

    /** The data of the events whose line ended in this piece, without spaces around it. */
    List<byte[]> take(byte[] piece) {
        List<byte[]> data = new ArrayList<>();
        int from = 0;
        for (int i = 0; i < piece.length; i++) {
            if (piece[i] != '\n') {
                continue;
            }
            if (begun.size() == 0) {
                add(piece, from, i, data);
            } else {
                begun.write(piece, from, i - from);
                byte[] line = begun.toByteArray();
                begun.reset();
                add(line, 0, line.length, data);
            }
            from = i + 1;
        }
        begun.write(piece, from, piece.length - from);
        return data;
    }

    private static void add(byte[] line, int from, int to, List<byte[]> data) {
        if (to - from < DATA.length || !Arrays.equals(line, from, from + DATA.length, DATA, 0, DATA.length)) {
            return;
        }
        int begin = from + DATA.length;
        int end = to;
        while (begin < end && line[begin] == ' ') {
            begin++;
        }
        while (end > begin && (line[end - 1] == '\r' || line[end - 1] == ' ')) {
            end--;
        }
        data.add(Arrays.copyOfRange(line, begin, end));
    }
}
