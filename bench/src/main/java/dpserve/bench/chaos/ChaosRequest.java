package dpserve.bench.chaos;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dpserve.io.message.SamplingParams;
import java.util.Random;

/** A request of the mixed load: what it asks for and how its client behaves. Equal seed and number give equal requests. */
public record ChaosRequest(String rid, Kind kind, int[] prompt, int length, boolean ignoreEos) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int LONGEST_PROMPT = 300;
    private static final int LONGEST_OUTPUT = 150;

    /** So that an abort or a client that leaves meets most requests while they run. */
    private static final int CUT_SHORT_OUTPUT = 400;

    private static final int IDS = 100_000;

    /** How a client behaves. */
    public enum Kind {
        PLAIN,
        STREAM,
        ABORT_PLAIN,
        ABORT_STREAM,
        HANG_UP;

        public boolean isStream() {
            return this == STREAM || this == ABORT_STREAM || this == HANG_UP;
        }

        /** Whether someone ends it before its end. */
        public boolean isCutShort() {
            return this != PLAIN && this != STREAM;
        }
    }

    /** @param name of the topology it goes to, a part of its rid */
    public static ChaosRequest draw(long seed, String name, int number) {
        Random random = new Random((seed * 1_000_003 + name.hashCode()) * 1_000_003 + number);
        int[] prompt = random.ints(1 + random.nextInt(LONGEST_PROMPT), 0, IDS).toArray();
        Kind kind = kind(random.nextInt(100));
        int length = kind.isCutShort() ? CUT_SHORT_OUTPUT : 1 + random.nextInt(LONGEST_OUTPUT);
        return new ChaosRequest("chaos-" + name + "-" + number, kind, prompt, length, random.nextBoolean());
    }

    private static Kind kind(int percent) {
        if (percent < 30) {
            return Kind.PLAIN;
        }
        if (percent < 82) {
            return Kind.STREAM;
        }
        if (percent < 87) {
            return Kind.ABORT_PLAIN;
        }
        return percent < 94 ? Kind.ABORT_STREAM : Kind.HANG_UP;
    }

    /** What its sampling parameters mean to the model. */
    public SamplingParams params() {
        SamplingParams params = SamplingParams.greedy(length);
        return ignoreEos ? params.ignoringEos() : params;
    }

    /** The body of its POST /generate. */
    public ObjectNode body() {
        ObjectNode body = JSON.createObjectNode().put("rid", rid).put("stream", kind.isStream());
        ArrayNode ids = body.putArray("input_ids");
        for (int id : prompt) {
            ids.add(id);
        }
        body.putObject("sampling_params").put("max_new_tokens", length).put("ignore_eos", ignoreEos);
        return body;
    }
}
