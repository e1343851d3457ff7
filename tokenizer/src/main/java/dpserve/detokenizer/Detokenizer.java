package dpserve.detokenizer;

import dpserve.io.WireRid;
import dpserve.io.message.BatchTokenIDOutput;
import dpserve.io.message.FinishReason;
import dpserve.io.model.Vocabulary;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;

/**
 * Turns new tokens into new text, request by request, at a cost that does not grow with the text. Pure: no I/O, clock
 * or thread of its own; for one thread.
 *
 * <p>Texts given out joined are, to the character, the decoding of all tokens at once, whatever the chunks; no text ends
 * inside a character unless the request does ({@link WholeText} is the same rule without chunks). State is kept by wire
 * rid from the first emission to the one with a finish reason, to {@link #drop}, or until it is the oldest and there is
 * no more room.
 *
 * <p>The flag spaces_between_special_tokens changes nothing: it concerns vocabularies that are not byte-level.
 */
public final class Detokenizer {
    /** States kept at most (SGLang's default for SGLANG_DETOKENIZER_MAX_STATES); the oldest goes first. */
    public static final int DEFAULT_MAX_STATES = 65_536;

    /** How many dropped rids are remembered, so that output still on its way does not begin them anew. */
    static final int MAX_DROPPED_RIDS = 65_536;

    private static final int[] NO_IDS = {};

    private final TokenTable tokens;
    private final int maxStates;
    private final BiConsumer<String, String> notice;
    private final Map<String, IncrementalText> states = new LinkedHashMap<>();
    private final Set<String> dropped = new LinkedHashSet<>();
    private final ByteBuilder bytes = new ByteBuilder();

    /**
     * @param maxStates at least 1
     * @param notice told of everything that should not happen: a kind from a small fixed set, and details in words
     */
    public Detokenizer(Vocabulary vocabulary, int maxStates, BiConsumer<String, String> notice) {
        this.tokens = new TokenTable(vocabulary);
        this.maxStates = maxStates;
        this.notice = notice;
    }

    /**
     * The new text of each request of a batch. A Java worker's request whose state is missing here loses its output ids
     * too: its worker sees the gap and begins another attempt, while text that goes on anywhere might be wrong.
     *
     * @return as long as the batch; "" where no character has become complete, null for output of a dropped rid, which
     *     is to be discarded
     */
    public String[] decode(BatchTokenIDOutput batch) {
        String[] texts = new String[batch.size()];
        for (int i = 0; i < texts.length; i++) {
            texts[i] = decode(batch, i);
        }
        return texts;
    }

    private String decode(BatchTokenIDOutput batch, int i) {
        String rid = batch.rids()[i];
        FinishReason finished = batch.finishedReasons()[i];
        if (isDropped(rid, finished)) {
            return null;
        }
        boolean skipSpecial = batch.skipSpecialTokens()[i];
        boolean trimStop = !batch.noStopTrim()[i];
        int[] ids = batch.decodeIds()[i];
        int end = ids.length;
        if (trimStop && end > 0 && finished instanceof FinishReason.StopToken stop && ids[end - 1] == stop.matched()) {
            end--;
        }
        IncrementalText text = finished == null ? states.get(rid) : states.remove(rid);
        int from = 0;
        if (text != null) {
            text.begin(bytes);
        } else {
            if (isLaterEmission(batch, i)) {
                notice.accept("missing_state", "output " + batch.completionTokens()[i] + " of a request without state");
                if (WireRid.isWireRid(rid) && batch.outputIds() != null) {
                    batch.outputIds()[i] = NO_IDS;
                    return "";
                }
            }
            String[] seeds = batch.decodedTexts();
            String[] workers = batch.httpWorkerIpcs();
            text = new IncrementalText(
                    seeds == null || seeds[i] == null ? "" : seeds[i], workers == null ? null : workers[i]);
            text.begin(bytes);
            from = prime(text, batch, i, end, skipSpecial);
            if (finished == null) {
                keep(rid, text);
            }
        }
        append(ids, from, end, skipSpecial);
        return finished == null ? text.advance(bytes) : text.finish(bytes, finished, trimStop);
    }

    /** Takes the prompt's tokens at the front of a first emission; returns how many there are. */
    private int prime(IncrementalText text, BatchTokenIDOutput batch, int i, int end, boolean skipSpecial) {
        if (isLaterEmission(batch, i)) {
            // Its own prompt tokens were sent long ago. The text goes on from here; a character whose first bytes are
            // lost with the state shows as U+FFFD.
            return 0;
        }
        int promptTokens = Math.max(0, Math.min(batch.readOffsets()[i], end));
        append(batch.decodeIds()[i], 0, promptTokens, skipSpecial);
        text.primed(bytes);
        return promptTokens;
    }

    /** Whether the request had output tokens before those of this message. */
    private static boolean isLaterEmission(BatchTokenIDOutput batch, int i) {
        int[][] outputIds = batch.outputIds();
        int newTokens = outputIds == null || outputIds[i] == null
                ? batch.decodeIds()[i].length - batch.readOffsets()[i]
                : outputIds[i].length;
        return batch.completionTokens()[i] > Math.max(0, newTokens);
    }

    private void append(int[] ids, int from, int end, boolean skipSpecial) {
        for (int k = from; k < end; k++) {
            int id = ids[k];
            if (!tokens.accepts(id)) {
                notice.accept("unknown_token_id", "id " + id + " is outside the vocabulary");
                id = TokenTable.REPLACEMENT_ID;
            }
            tokens.append(id, skipSpecial, bytes);
        }
    }

    private void keep(String rid, IncrementalText text) {
        if (states.size() >= maxStates) {
            removeOldest(states.keySet());
            notice.accept("evicted_state", "more than " + maxStates + " requests at once; the oldest state is dropped");
        }
        states.put(rid, text);
    }

    private boolean isDropped(String rid, FinishReason finished) {
        if (dropped.isEmpty() || !dropped.contains(rid)) {
            return false;
        }
        if (finished != null) {
            dropped.remove(rid);
        }
        notice.accept("output_of_dropped_rid", "its worker has given the attempt up");
        return true;
    }

    /** Forgets these requests; output of theirs that is still on its way will be discarded. */
    public void drop(String[] rids) {
        for (String rid : rids) {
            states.remove(rid);
            if (dropped.size() >= MAX_DROPPED_RIDS) {
                removeOldest(dropped);
            }
            dropped.add(rid);
        }
    }

    /**
     * A tokenizer worker has begun: nobody waits for what its predecessors had sent. Their ranks are told by the controller;
     * those of a rank that died with the worker would stay for ever.
     *
     * @param httpWorkerIpc the worker's PULL endpoint
     */
    public void onWorker(String httpWorkerIpc, long incarnation) {
        List<String> orphans = new ArrayList<>();
        states.forEach((rid, text) -> {
            if (httpWorkerIpc.equals(text.httpWorkerIpc)
                    && WireRid.isWireRid(rid)
                    && WireRid.incarnationOf(rid) < incarnation) {
                orphans.add(rid);
            }
        });
        drop(orphans.toArray(String[]::new));
    }

    private static void removeOldest(Collection<String> inOrder) {
        Iterator<String> oldest = inOrder.iterator();
        oldest.next();
        oldest.remove();
    }

    /** Requests whose text is under way. */
    public int states() {
        return states.size();
    }
}
