package dpserve.bench.fuzz;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** The kept examples that fuzzing begins with: one frame of every kind of message, and HTTP requests. */
public final class Corpus {
    private Corpus() {}

    /** One frame of each kind of message. */
    public static List<byte[]> frames() {
        return load("frames");
    }

    /** HTTP requests, head and body. */
    public static List<byte[]> http() {
        return load("http");
    }

    private static List<byte[]> load(String kind) {
        List<byte[]> all = new ArrayList<>();
        for (String name : new String(read(kind + ".list"), StandardCharsets.UTF_8).split("\n")) {
            all.add(read(kind + "/" + name));
        }
        return all;
    }

    private static byte[] read(String name) {
        try (InputStream in = Corpus.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException("the corpus lacks " + name);
            }
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(name, e);
        }
    }
}
