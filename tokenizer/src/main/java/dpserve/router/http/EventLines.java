package dpserve.router.http;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Cuts a body of server-sent events into the data of each; what comes may end anywhere. */
final class EventLines {
    private static final String DATA = "data:";

    private final ByteArrayOutputStream line = new ByteArrayOutputStream();

    /** The data of the events whose line ended in this piece. */
    List<String> take(byte[] piece) {
        List<String> data = new ArrayList<>();
        for (byte b : piece) {
            if (b != '\n') {
                line.write(b);
                continue;
            }
            String text = line.toString(StandardCharsets.UTF_8).strip();
            line.reset();
            if (text.startsWith(DATA)) {
                data.add(text.substring(DATA.length()).strip());
            }
        }
        return data;
    }
}
