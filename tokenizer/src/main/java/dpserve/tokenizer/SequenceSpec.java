package dpserve.tokenizer;

import dpserve.io.message.FinishReason;
import dpserve.io.message.SamplingParams;
import dpserve.io.message.TokenizedGenerateReqInput;
import java.util.Arrays;

/**
 * One output sequence that a client asked for, validated and tokenized. A request with {@code n} samples or several
 * prompts becomes several.
 *
 * @param userRid the client's name for it, given or made up; without U+001F
 * @param inputIds the prompt
 * @param routing where the client wants it; never null
 * @param resume output that another server made of it already, or null
 * @param logprobs null for none
 */
public record SequenceSpec(
        String userRid,
        int[] inputIds,
        SamplingParams samplingParams,
        boolean stream,
        Routing routing,
        Resume resume,
        Logprobs logprobs) {

    /**
     * Which log probabilities the client wants of the output.
     *
     * @param top how many of the most likely tokens beside the chosen one
     * @param withText whether {@code /generate} names tokens by their text too
     */
    public record Logprobs(int top, boolean withText) {}

    private static final int[] NOTHING = {};

    /** What one token id of logit_bias takes in the memory of a rank (text, number and map entry), in prompt tokens of 4 bytes. */
    private static final int LOGIT_BIAS_TOKENS = 28;

    /** What a character of a stop string takes there (text and bytes), in the same. */
    private static final int STOP_CHARACTER_TOKENS = 2;

    /** A sequence that begins here. */
    public SequenceSpec(
            String userRid, int[] inputIds, SamplingParams samplingParams, boolean stream, Routing routing) {
        this(userRid, inputIds, samplingParams, stream, routing, null, null);
    }

    /**
     * Output that the client has: the sequence goes on behind it, and limits and usage are those of the whole.
     *
     * @param outputIds the output tokens so far
     * @param text as much of their text as was shown
     * @param end why it has ended, so that nothing more is made of it; null if it goes on
     */
    public record Resume(int[] outputIds, String text, FinishReason end) {}

    /**
     * Wishes about the rank, handed on to the controller and the ranks as they are. Each may be null.
     *
     * @param routedDpRank this rank and no other
     * @param routingKey session key for affinity policies
     * @param extraKey namespace of the prefix cache
     */
    public record Routing(
            Integer routedDpRank,
            Integer disaggPrefillDpRank,
            String routingKey,
            Integer priority,
            String extraKey,
            String bootstrapHost,
            Integer bootstrapPort,
            Long bootstrapRoom) {

        /** No wishes. */
        public static final Routing NONE = new Routing(null, null, null, null, null, null, null, null);

        /** Of the sequence at this index of a request: each has a room of its own, as SGLang's have. */
        Routing ofSequence(int index) {
            return bootstrapRoom == null || index == 0
                    ? this
                    : new Routing(
                            routedDpRank,
                            disaggPrefillDpRank,
                            routingKey,
                            priority,
                            extraKey,
                            bootstrapHost,
                            bootstrapPort,
                            bootstrapRoom + index);
        }

        /** This rank and no other. */
        public static Routing toRank(int dpRank) {
            return new Routing(dpRank, null, null, null, null, null, null, null);
        }
    }

    /** What the processes keep of it while it lives, as so many prompt tokens. */
    public long weight() {
        int biases = samplingParams.logitBias() == null
                ? 0
                : samplingParams.logitBias().size();
        int stops = samplingParams.stopTokenIds().length;
        for (String stop : samplingParams.stopStrs()) {
            stops += stop.length() * STOP_CHARACTER_TOKENS;
        }
        return inputIds.length + stops + (long) biases * LOGIT_BIAS_TOKENS;
    }

    /** The message that asks a rank for it. */
    TokenizedGenerateReqInput toMessage(String wireRid, String httpWorkerIpc) {
        return toMessage(wireRid, httpWorkerIpc, NOTHING);
    }

    /**
     * The message that asks a rank for the rest of it.
     *
     * @param received output tokens that exist already
     */
    TokenizedGenerateReqInput toMessage(String wireRid, String httpWorkerIpc, int[] received) {
        int[] ids = Arrays.copyOf(inputIds, inputIds.length + received.length);
        System.arraycopy(received, 0, ids, inputIds.length, received.length);
        return new TokenizedGenerateReqInput(
                wireRid,
                httpWorkerIpc,
                null,
                ids,
                received.length == 0 ? samplingParams : samplingParams.afterTokens(received.length),
                logprobs != null,
                // Of the output alone.
                -1,
                logprobs == null ? 0 : logprobs.top(),
                stream,
                routing.bootstrapHost(),
                routing.bootstrapPort(),
                routing.bootstrapRoom(),
                routing.routedDpRank(),
                routing.disaggPrefillDpRank(),
                routing.routingKey(),
                routing.priority(),
                routing.extraKey(),
                received.length,
                0.0);
    }
}
