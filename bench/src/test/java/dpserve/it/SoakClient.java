package dpserve.it;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;

/** Sends requests drawn from a seed and compares each reply with what it must be. For many threads at once. */
final class SoakClient {
    private static final int MAX_PROMPT = 200;
    private static final int MAX_OUTPUT = 64;

    /** Long enough that an abort meets most requests while they run. */
    private static final int ABORTED_OUTPUT = 600;

    private static final int WRONG_KEPT = 10;

    private final Api api;
    private final long seed;
    private final AtomicInteger whole = new AtomicInteger();
    private final AtomicInteger aborted = new AtomicInteger();
    private final AtomicInteger tooLateToAbort = new AtomicInteger();
    private final AtomicInteger abandoned = new AtomicInteger();
    private final Queue<String> wrong = new ConcurrentLinkedQueue<>();

    /** What became of the requests so far. */
    record Tally(int whole, int aborted, int tooLateToAbort, int abandoned) {}

    private enum Kind {
        PLAIN,
        STREAM,
        ABORT_PLAIN,
        ABORT_STREAM,
        ABANDON
    }

    SoakClient(Api api, long seed) {
        this.api = api;
        this.seed = seed;
    }

    Tally tally() {
        return new Tally(whole.get(), aborted.get(), tooLateToAbort.get(), abandoned.get());
    }

    /** The first replies that were not as expected. */
    List<String> wrong() {
        return List.copyOf(wrong);
    }

    /** Request number i, from start to end. */
    void request(int i) {
        Random random = new Random(seed * 1_000_003 + i);
        int[] prompt = random.ints(1 + random.nextInt(MAX_PROMPT), 0, 100_000).toArray();
        Kind kind = kind(random.nextInt(100));
        boolean ignoreEos = random.nextBoolean();
        boolean shortened = kind == Kind.PLAIN || kind == Kind.STREAM;
        int length = shortened ? 1 + random.nextInt(MAX_OUTPUT) : ABORTED_OUTPUT;
        Expected.Output expected =
                ignoreEos || !shortened ? Expected.full(prompt, length) : Expected.of(prompt, length);
        Map<String, Object> body = new HashMap<>();
        body.put("rid", "soak-" + seed + "-" + i);
        body.put("input_ids", prompt);
        body.put("stream", kind != Kind.PLAIN && kind != Kind.ABORT_PLAIN);
        body.put("sampling_params", Map.of("max_new_tokens", length, "ignore_eos", ignoreEos || !shortened));
        try {
            switch (kind) {
                case PLAIN ->
                    check(i, prompt, expected, api.post("/generate", body).json(), false);
                case ABANDON -> {
                    api.postAndHangUp("/generate", body);
                    abandoned.incrementAndGet();
                }
                case ABORT_PLAIN -> abortPlain(i, prompt, expected, body);
                default -> stream(i, kind, prompt, expected, body);
            }
        } catch (RuntimeException | AssertionError e) {
            note(i, kind + ": " + e);
        }
    }

    private static Kind kind(int percent) {
        if (percent < 45) {
            return Kind.PLAIN;
        }
        if (percent < 88) {
            return Kind.STREAM;
        }
        if (percent < 92) {
            return Kind.ABORT_PLAIN;
        }
        return percent < 96 ? Kind.ABORT_STREAM : Kind.ABANDON;
    }

    private void abortPlain(int i, int[] prompt, Expected.Output expected, Map<String, Object> body) {
        var reply = api.postAsync("/generate", body);
        api.post("/abort_request", Map.of("rid", body.get("rid")));
        check(i, prompt, expected, reply.join().json(), true);
    }

    private void stream(int i, Kind kind, int[] prompt, Expected.Output expected, Map<String, Object> body) {
        try (Api.Events events = api.stream("/generate", body)) {
            JsonNode last = events.next();
            if (kind == Kind.ABORT_STREAM) {
                api.post("/abort_request", Map.of("rid", body.get("rid")));
            }
            for (JsonNode event = last; event != null; event = events.next()) {
                boolean running = event.path("meta_info").path("finish_reason").isNull();
                if (running && !expected.text().startsWith(event.path("text").asText("no text"))) {
                    note(i, "a stream's text is no beginning of the expected text: " + event);
                    return;
                }
                last = event;
            }
            check(i, prompt, expected, last, kind == Kind.ABORT_STREAM);
        }
    }

    /** The last or only reply of a request. */
    private void check(int i, int[] prompt, Expected.Output expected, JsonNode reply, boolean mayBeAborted) {
        String type = reply.path("meta_info").path("finish_reason").path("type").asText();
        String text = reply.path("text").asText("no text");
        if (mayBeAborted && type.equals("abort")) {
            aborted.incrementAndGet();
            if (!isBeginning(prompt, expected, reply)) {
                note(i, "aborted, but not with a beginning of the expected output: " + reply);
            }
        } else if (text.equals(expected.text()) && type.equals(expected.finish())) {
            (mayBeAborted ? tooLateToAbort : whole).incrementAndGet();
        } else {
            note(i, "expected " + expected.finish() + " with '" + expected.text() + "', got " + reply);
        }
    }

    /** Whether output ids and text are those of the expected output, cut short. */
    private static boolean isBeginning(int[] prompt, Expected.Output expected, JsonNode reply) {
        int[] ids = Expected.ids(reply.path("output_ids"));
        return ids.length <= expected.ids().length
                && Arrays.equals(ids, Arrays.copyOf(expected.ids(), ids.length))
                && Expected.text(prompt, ids).equals(reply.path("text").asText());
    }

    private void note(int i, String what) {
        if (wrong.size() < WRONG_KEPT) {
            wrong.add("request " + i + ": " + what);
        }
    }
}
