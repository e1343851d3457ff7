package dpserve.scheduler;

import dpserve.io.message.Message;
import dpserve.io.message.TokenizedGenerateReqInput;
import dpserve.io.model.NextToken;
import java.util.Map;

/**
 * What a PD server's rank does beyond prefill and decode: the queues of requests that wait for the other half of their pair.
 * Called between steps only.
 */
interface Handoff {
    /** Nanoseconds that mean: nothing is due. */
    long NEVER = Long.MAX_VALUE;

    /** Why this request cannot be paired, or null. */
    String refuse(TokenizedGenerateReqInput in);

    /** A request was accepted. */
    void arrive(Request r, long nowNs);

    /**
     * Takes a message of the other half.
     *
     * @return false if it is none
     */
    boolean onMessage(Message message, long nowNs);

    /** Does what is due. */
    void advance(long nowNs);

    /** When {@link #advance} is to be called again at the latest, or {@link #NEVER}. */
    long nextDueNs();

    /** Takes a request out of whatever queue it is in, telling the other half; false if it is in none. */
    boolean remove(Request r);

    /** A running request lost its KV. */
    void onRetracted(Request r);

    /** A prompt is computed, its first output token made (with log probabilities, or null); true if its KV goes elsewhere now. */
    boolean onPrefilled(Request r, int token, NextToken logprob, long nowNs);

    /** All requests are forgotten; their KV is not looked after. */
    void clear();

    /** Requests that hold a slot and do not run. */
    int slotsHeld();

    /** SGLang's words for its queues in a log line, or "". */
    String logPart();

    /** Sizes of what is empty when the rank is idle, by name. */
    void tables(Map<String, Object> tables);
}
