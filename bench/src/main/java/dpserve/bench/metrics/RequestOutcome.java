package dpserve.bench.metrics;

import java.util.Map;

/**
 * What became of one request. Times in seconds.
 *
 * @param row number of the dataset row
 * @param problem what went wrong; empty if nothing did. With {@link Ending#COMPLETE} it tells of a stream out of order
 * @param startS when it was meant to be sent, from the start of the run
 * @param sendLagS how much later it was sent
 * @param latencyS from startS to the last event of the reply
 * @param ttftS from startS to the first text
 * @param itlS one gap for each token after the first chunk (a chunk's gap is shared out evenly among its tokens)
 * @param promptLen tokens of the prompt, as the server counted them where it did
 * @param outputLen tokens generated
 * @param cachedTokens tokens of the prompt that the server had in its prefix cache
 * @param text the text generated
 * @param outputIds the token ids generated; null where the backend does not give them
 * @param rid the server's name of the request; null if unknown
 * @param dpRank the rank that answered; -1 if unknown
 * @param stagesS where the server says the time went, seconds by stage in the request's order; empty if it does not say
 */
public record RequestOutcome(
        int row,
        Ending ending,
        String problem,
        double startS,
        double sendLagS,
        double latencyS,
        double ttftS,
        double[] itlS,
        int promptLen,
        int outputLen,
        int cachedTokens,
        String text,
        int[] outputIds,
        String rid,
        int dpRank,
        Map<String, Double> stagesS) {

    /** How a request ended. */
    public enum Ending {
        /** The whole reply arrived. */
        COMPLETE,
        /** The server said that it failed: an HTTP error, an error event or an abort. */
        FAILED,
        /** The connection or the stream ended without a word about the outcome. */
        LOST
    }

    /** Whether the whole reply arrived. */
    public boolean success() {
        return ending == Ending.COMPLETE;
    }

    /** Mean time of a token after the first, seconds; 0 for a single token. */
    public double tpotS() {
        return outputLen > 1 ? (latencyS - ttftS) / (outputLen - 1) : 0;
    }
}
