package dpserve.io.message;

import java.util.Map;

/**
 * A Java process names itself to the controller: at start, and again every second as a sign of life. For a rank it is
 * the registration of one incarnation. A tokenizer worker also sends it as the first message of its request stream, so
 * the controller knows that the stream keeps the rules of docs/protocol.md.
 *
 * @param role who
 * @param index worker number, detokenizer number or dp_rank
 * @param incarnation higher than any before of the same role and index
 * @param endpoints what it bound, by the names of {@link #PULL}, {@link #PUSH}, {@link #INPUT} and {@link #STEP}
 * @param protocolVersion {@link #PROTOCOL_VERSION}
 * @param pid process id on its host
 * @param info whole numbers that peers may want, such as max_total_num_tokens of a rank
 * @param heldRids rank: wire rids of all requests it holds; otherwise empty
 */
public record Hello(
        Role role,
        int index,
        long incarnation,
        Map<String, String> endpoints,
        int protocolVersion,
        long pid,
        Map<String, Long> info,
        String[] heldRids)
        implements Message {

    /** Raised whenever a peer of the previous version could not follow. */
    public static final int PROTOCOL_VERSION = 1;

    /** Key in {@code endpoints}: the PULL a tokenizer worker or detokenizer bound. */
    public static final String PULL = "pull";

    /** Key in {@code endpoints}: the PUSH a tokenizer worker bound for its request stream. */
    public static final String PUSH = "push";

    /** Key in {@code endpoints}: the PULL a rank bound for this incarnation. */
    public static final String INPUT = "input";

    /** Key in {@code endpoints}: the PULL where a rank under DP attention takes {@link StepDone}. */
    public static final String STEP = "step";

    /** Key in {@code info} of a rank: KV slots. */
    public static final String MAX_TOTAL_NUM_TOKENS = "max_total_num_tokens";

    /** Key in {@code info} of a rank: 1 if an operator drained it. */
    public static final String DRAINING = "draining";

    /** Key in {@code info} of a rank: requests that this incarnation has received, as its load reports count them. */
    public static final String RECEIVED_REQS = "received_reqs";

    /** Key in {@code info} of a rank: prompt tokens of those. */
    public static final String RECEIVED_TOKENS = "received_tokens";

    /**
     * Key in {@code info} of a tokenizer worker's hello in its request stream: number of the newest attempt sent before it.
     * The worker asks for {@link KnownRids}.
     */
    public static final String SENT = "sent";

    /** Key in {@code info} of a rank: longest prompt accepted, tokens. */
    public static final String MAX_REQ_INPUT_LEN = "max_req_input_len";
}
