package dpserve.tokenizer;

import dpserve.io.message.BatchStrOutput;
import dpserve.io.message.FinishReason;
import dpserve.io.model.NextToken;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/** What is known of one sequence, from its acceptance to its end. Changed by {@link TokenizerManager} alone. */
public final class SequenceState {
    private static final int FIRST_IDS = 64;

    final SequenceSpec spec;
    final SequenceListener listener;
    String wireRid;
    final long createdNs;
    private final long tokenizedNs;
    private final List<NextToken> logprobs = new ArrayList<>(0);
    private final StringBuilder text = new StringBuilder();
    private int[] outputIds = new int[FIRST_IDS];
    private int outputLength;
    int cachedTokens;
    int retractions;
    int reasoningTokens;
    Integer dpRank;
    FinishReason finishReason;
    private long firstTokenNs;
    private long lastTokenNs;
    boolean zombie;

    /** A client wants it ended: it is not sent again. */
    boolean abortAsked;

    /** Aborted because it took too long. */
    boolean timedOut;

    /** Whether and when {@link Deadlines} first saw that it is to end. */
    boolean abortSeen;

    long abortSeenNs;

    /** Epoch of the controller that the attempt under way was sent to; 0 before one was heard. */
    long sentToEpoch;

    /** The how manieth attempt of this worker the one under way is; 0 before it was sent. */
    long sentNumber;

    long sentNs;

    /** Number of the attempt under way, from 0. */
    int attempt;

    /** Ranks that died with it. */
    int rankDeaths;

    /** Output tokens that the attempt under way was given. */
    private int resumed;

    /** Characters of a resumed attempt's text that are held already: it begins anew at the prompt. */
    private int repeated;

    private int earlierRetractions;

    /** {@link dpserve.io.message.Stamps} of its first output, then of its last; null before, and from a peer that stamps nothing. */
    double[] stamps;

    Stages stages;
    long endedNs;

    SequenceState(SequenceSpec spec, SequenceListener listener, String wireRid, long createdNs, long tokenizedNs) {
        this.tokenizedNs = tokenizedNs;
        this.spec = spec;
        this.listener = listener;
        this.wireRid = wireRid;
        this.createdNs = createdNs;
        if (spec.resume() != null) {
            append(spec.resume().text(), spec.resume().outputIds(), null);
            resumed = outputLength;
            repeated = text.length();
        }
    }

    /** Another attempt begins, with all output so far as its input. */
    void beginAttempt(String newWireRid) {
        wireRid = newWireRid;
        attempt++;
        resumed = outputLength;
        repeated = text.length();
        earlierRetractions = retractions;
    }

    /** The output ids so far. */
    int[] received() {
        return Arrays.copyOf(outputIds, outputLength);
    }

    /** Whether a row of a batch begins where the output of the attempt under way ends; otherwise something was lost between. */
    boolean isFollowedBy(BatchStrOutput batch, int row) {
        return batch.outputIds() == null
                || batch.completionTokens()[row] - batch.outputIds()[row].length == outputLength - resumed;
    }

    /** Figures of a row of a batch; the prefix cache is asked about the prompt once. */
    void figures(BatchStrOutput batch, int row) {
        cachedTokens = attempt == 0 ? batch.cachedTokens()[row] : cachedTokens;
        retractions = earlierRetractions + batch.retractionCounts()[row];
        reasoningTokens = batch.reasoningTokens()[row];
        if (batch.dpRanks() != null && batch.dpRanks()[row] != null) {
            dpRank = batch.dpRanks()[row];
        }
        if (batch.stamps() != null && batch.stamps()[row] != null) {
            stamps = batch.stamps()[row];
        }
    }

    /**
     * Takes new output.
     *
     * @param newLogprobs of the new ids; null without
     * @return the part of the text that was not held
     */
    String append(String attemptText, int[] newIds, NextToken[] newLogprobs) {
        if (newLogprobs != null) {
            Collections.addAll(logprobs, newLogprobs);
        }
        int known = Math.min(repeated, attemptText.length());
        repeated -= known;
        String newText = known == 0 ? attemptText : attemptText.substring(known);
        text.append(newText);
        if (outputLength + newIds.length > outputIds.length) {
            outputIds = Arrays.copyOf(outputIds, Math.max(outputIds.length * 2, outputLength + newIds.length));
        }
        System.arraycopy(newIds, 0, outputIds, outputLength, newIds.length);
        outputLength += newIds.length;
        return newText;
    }

    /** Tokens have arrived: sets the times of the first and the newest. */
    void tokensAt(long nowNs) {
        if (firstTokenNs == 0) {
            firstTokenNs = nowNs;
        }
        lastTokenNs = nowNs;
    }

    /** Since when nothing has been heard of the attempt under way, which was sent. */
    long quietSinceNs() {
        return Math.max(sentNs, lastTokenNs);
    }

    /** What was asked for. */
    public SequenceSpec spec() {
        return spec;
    }

    /** All text so far. */
    public CharSequence text() {
        return text;
    }

    /** Number of output tokens so far. */
    public int completionTokens() {
        return outputLength;
    }

    /** The output id at an index below {@link #completionTokens}. */
    public int outputId(int index) {
        return outputIds[index];
    }

    /** Log probabilities of the output so far; empty unless asked for. */
    public List<NextToken> logprobs() {
        return Collections.unmodifiableList(logprobs);
    }

    /** Prompt tokens. */
    public int promptTokens() {
        return spec.inputIds().length;
    }

    /** Prompt tokens that the rank found in its prefix cache. */
    public int cachedTokens() {
        return cachedTokens;
    }

    /** How often the rank took its KV away and queued it again. */
    public int retractions() {
        return retractions;
    }

    /** Tokens of reasoning among the output, as the rank counts them. */
    public int reasoningTokens() {
        return reasoningTokens;
    }

    /** The rank that makes the output; null before the first output. */
    public Integer dpRank() {
        return dpRank;
    }

    /** Why it ended; null while it runs. */
    public FinishReason finishReason() {
        return finishReason;
    }

    /** When its request was here whole, monotonic nanoseconds. */
    public long createdNs() {
        return createdNs;
    }

    /** When it was sent to the controller first, monotonic nanoseconds. */
    public long tokenizedNs() {
        return tokenizedNs;
    }

    /** Where its time went; null while it runs. */
    public Stages stages() {
        return stages;
    }

    /** When its end was known here, monotonic nanoseconds; 0 while it runs. */
    public long endedNs() {
        return endedNs;
    }

    /** When its first token arrived, monotonic nanoseconds; 0 before. */
    public long firstTokenNs() {
        return firstTokenNs;
    }

    /** When its newest token arrived, monotonic nanoseconds; 0 before. */
    public long lastTokenNs() {
        return lastTokenNs;
    }
}
