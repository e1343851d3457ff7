package dpserve.bench.client;

import com.fasterxml.jackson.databind.JsonNode;
import dpserve.bench.metrics.RequestOutcome;
import dpserve.bench.metrics.RequestOutcome.Ending;
import dpserve.bench.metrics.TokenTimeline;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Reads one reply of one API, event by event. Used by one thread; what it gathered is good after the reply's end.
 */
abstract class ReplyReader {
    final TokenTimeline timeline = new TokenTimeline();
    int[] outputIds;
    int promptTokens = -1;
    int completionTokens = -1;
    int cachedTokens;
    String rid;
    int dpRank = -1;
    final Map<String, Double> stagesS = new LinkedHashMap<>();

    /** The reply said that it is complete. */
    boolean finished;

    /** What the server said went wrong; null if nothing. */
    String failure;

    /** The stream was complete, but out of order; null if it was not. */
    String anomaly;

    private boolean doneMarkSeen;

    /** One streamed event. */
    abstract void event(byte[] bytes, int from, int to, long nowNs) throws IOException;

    /** A reply that came in one piece. */
    abstract void whole(byte[] body, long nowNs) throws IOException;

    /** The text so far. */
    abstract String text();

    /** Where the server says the time went: an object of seconds by stage, or a missing node. */
    final void takeStages(JsonNode stages) {
        stages.properties()
                .forEach(stage -> stagesS.put(stage.getKey(), stage.getValue().asDouble()));
    }

    /** One data line: an event, or the mark at the stream's end. */
    final void data(byte[] bytes, int from, int to, long nowNs) throws IOException {
        if (isDoneMark(bytes, from, to)) {
            doneMarkSeen = true;
        } else if (doneMarkSeen) {
            anomaly = "an event after the end of the stream";
        } else {
            event(bytes, from, to, nowNs);
        }
    }

    private static boolean isDoneMark(byte[] bytes, int from, int to) {
        return to - from == 6
                && bytes[from] == '['
                && new String(bytes, from, 6, StandardCharsets.US_ASCII).equals("[DONE]");
    }

    /**
     * The outcome, times given in nanoseconds of one clock.
     *
     * @param startNs start of the run
     * @param endNs when the last event arrived
     * @param lost what broke off the transfer; null if it ended in order
     */
    RequestOutcome outcome(
            int row,
            int nominalPromptLen,
            int nominalOutputLen,
            long startNs,
            long intendedNs,
            long sentNs,
            long endNs,
            String lost) {
        Ending ending = failure != null ? Ending.FAILED : lost != null || !finished ? Ending.LOST : Ending.COMPLETE;
        String problem = failure != null
                ? failure
                : lost != null ? lost : !finished ? "the stream ended before the reply was complete" : anomaly;
        double latencyS = (endNs - intendedNs) / 1e9;
        return new RequestOutcome(
                row,
                ending,
                problem == null ? "" : problem,
                (intendedNs - startNs) / 1e9,
                (sentNs - intendedNs) / 1e9,
                latencyS,
                // Upstream leaves 0 for a reply without text, which would flatter the mean.
                timeline.started() ? (timeline.firstNs() - intendedNs) / 1e9 : latencyS,
                timeline.itlS(),
                promptTokens >= 0 ? promptTokens : nominalPromptLen,
                completionTokens >= 0 ? completionTokens : ending == Ending.COMPLETE ? nominalOutputLen : 0,
                cachedTokens,
                text(),
                outputIds,
                rid,
                dpRank,
                stagesS);
    }
}
