package dpserve.scheduler;

import dpserve.io.WireRid;
import dpserve.io.message.FinishReason;
import dpserve.io.message.SamplingParams;
import dpserve.io.message.TokenizedGenerateReqInput;
import dpserve.io.model.NextToken;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * One attempt held by this rank: its token ids (input and output in one array), its limits, its KV slots and what has
 * been emitted of it. Mutable; belongs to one {@link Scheduler}. An {@link Engine} reads it and changes nothing.
 */
public final class Request {
    /** {@link #slot} of a request that holds none. */
    public static final int NO_SLOT = -1;

    /** Outputs are mostly shorter than this; a longer one makes the id array grow. */
    private static final int EXPECTED_OUTPUT = 64;

    private final TokenizedGenerateReqInput input;
    private final int inputLength;
    private final int promptLength;
    private final int maxNewTokens;
    private final long ridHash;
    private final int detokenizer;
    private int[] ids;
    private int length;

    /** Null without stop strings. */
    final StopStrings stopStrings;

    /** Where this request's prefix ends in the cache, locked; null while it holds no KV or without a cache. */
    RadixCache.Node prefixNode;

    /** Tokens of this request whose KV lies in the cache and is locked. */
    int prefixLength;

    /** Tokens whose KV exists or is being computed: the prefix, then this request's own slots. */
    int kvLength;

    int slot = NO_SLOT;

    /** Prompt tokens found in the cache when it was first admitted; -1 before. */
    int cachedTokens = -1;

    int retractions;
    boolean abortRequested;

    /** Log probabilities of the output of this attempt; empty unless asked for. */
    final List<NextToken> logprobs = new ArrayList<>(0);

    /** Null while it runs. */
    FinishReason finishReason;

    /** Stage times on the rank's monotonic clock; 0 before. */
    final long receivedNs;

    long firstScheduledNs;
    long firstTokenNs;

    boolean emitted;
    int emittedOutputs;

    /**
     * @param maxNewTokens already clipped to what fits, see {@link SchedulerConfig#clipMaxNewTokens}
     * @param receivedNs when it arrived
     * @param detokenizers output of this request goes to number crc32(wire rid) mod this
     */
    Request(TokenizedGenerateReqInput input, int maxNewTokens, int detokenizers, long receivedNs) {
        this.receivedNs = receivedNs;
        this.input = input;
        this.inputLength = input.inputIds().length;
        this.promptLength = inputLength - input.resumed();
        this.maxNewTokens = maxNewTokens;
        this.ridHash = WireRid.hash64(input.rid());
        this.detokenizer = WireRid.detokenizer(input.rid(), detokenizers);
        this.ids = Arrays.copyOf(input.inputIds(), inputLength + Math.min(maxNewTokens, EXPECTED_OUTPUT));
        this.length = inputLength;
        boolean stops = input.samplingParams().stopStrs().stream().anyMatch(s -> !s.isEmpty());
        this.stopStrings = stops ? new StopStrings(input.samplingParams().stopStrs()) : null;
    }

    /** The wire rid. */
    public String rid() {
        return input.rid();
    }

    /** The message it came in. */
    public TokenizedGenerateReqInput input() {
        return input;
    }

    /** How to choose its tokens and when to stop; max_new_tokens here is what was asked for. */
    public SamplingParams params() {
        return input.samplingParams();
    }

    /** Input and output ids; only the first {@link #length} count. Shared: never change it. */
    public int[] ids() {
        return ids;
    }

    /** Input and output tokens so far. */
    public int length() {
        return length;
    }

    /** Input tokens, output of earlier attempts included. */
    public int inputLength() {
        return inputLength;
    }

    /** Output tokens of this attempt so far. */
    public int outputLength() {
        return length - inputLength;
    }

    /** Tokens of the original prompt: the input without output of earlier attempts. */
    public int promptLength() {
        return promptLength;
    }

    /** Output tokens at which this attempt ends. */
    public int maxNewTokens() {
        return maxNewTokens;
    }

    /** While it has KV, a small number no other request has: where an engine keeps this sequence. */
    public int slot() {
        return slot;
    }

    /** Whether the next token may end the output: not with ignore_eos, nor before min_new_tokens were made. */
    public boolean allowEos() {
        return !params().ignoreEos() && outputLength() >= params().minNewTokens();
    }

    long ridHash() {
        return ridHash;
    }

    int detokenizer() {
        return detokenizer;
    }

    boolean isFinished() {
        return finishReason != null;
    }

    void scheduledAt(long nowNs) {
        firstScheduledNs = firstScheduledNs == 0 ? nowNs : firstScheduledNs;
    }

    void tokenAt(long nowNs) {
        firstTokenNs = firstTokenNs == 0 ? nowNs : firstTokenNs;
    }

    /** @param logprob kept if the client asked for log probabilities and the engine gave them */
    void append(int tokenId, NextToken logprob) {
        if (logprob != null && input.returnLogprob()) {
            logprobs.add(logprob);
        }
        if (length == ids.length) {
            ids = Arrays.copyOf(ids, length + (length >> 1) + EXPECTED_OUTPUT);
        }
        ids[length++] = tokenId;
    }

    /** Slots that are neither the cache's nor shared. */
    int ownSlots() {
        return kvLength - prefixLength;
    }

    /** Output tokens to reserve for, at most {@code clip}. */
    int reservedOutput(int clip) {
        return Math.min(Math.max(maxNewTokens - outputLength(), 0), clip);
    }
}
