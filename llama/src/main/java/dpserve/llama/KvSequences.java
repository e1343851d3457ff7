package dpserve.llama;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The sequences of a scheduler's slots on a {@link LlamaBatchDecoder}. The caller says which tokens a slot must have; what is
 * not in KV yet is computed. A new slot begins with the longest prefix that any sequence has, running or ended: ended ones
 * keep their KV until the cells or the sequence numbers are needed, longest unused first. Sequences that came to hold
 * the same prefix twice are made to share it when cells run short, so the running ones never need more cells than the
 * tree of their prefixes has tokens. Used by one thread.
 *
 * <p>Nothing is given back before it must be, not even what is held twice: llama.cpp puts new tokens into freed cells, attention
 * adds up a sequence's cells in the order of the pool, and another order rounds otherwise. While no cell has been used again,
 * a sequence's logits are bit for bit those it has alone.
 */
public final class KvSequences {
    private final SequenceKv kv;
    private final Map<Integer, Sequence> running = new HashMap<>();

    /** Ended ones, longest unused first. */
    private final Set<Sequence> retained = new LinkedHashSet<>();

    private final ArrayDeque<Integer> freeNumbers = new ArrayDeque<>();
    private final List<Entry> entries = new ArrayList<>();
    private long reusedTokens;

    /** What the KV of no token takes as bytes, and each token; 0 before it is known. */
    private long stateBytes;

    private long stateBytesPerToken;

    private static final class Sequence {
        private final int number;
        private final String namespace;
        private int[] ids = {};
        private int length;

        Sequence(int number, String namespace) {
            this.number = number;
            this.namespace = namespace;
        }

        void extend(int[] newIds, int newLength) {
            if (newLength > ids.length) {
                ids = Arrays.copyOf(ids, newIds.length);
            }
            System.arraycopy(newIds, length, ids, length, newLength - length);
            length = newLength;
        }

        int commonPrefix(String otherNamespace, int[] otherIds, int limit) {
            if (!namespace.equals(otherNamespace)) {
                return 0;
            }
            int end = Math.min(limit, length);
            int mismatch = Arrays.mismatch(ids, 0, end, otherIds, 0, end);
            return mismatch < 0 ? end : mismatch;
        }
    }

    private record Entry(Sequence sequence, int[] ids, int to, boolean wantLogits) {}

    /**
     * @param decoder with more sequences than slots will be in use at once: the others keep ended prefixes
     */
    public KvSequences(LlamaBatchDecoder decoder) {
        this((SequenceKv) decoder);
    }

    KvSequences(SequenceKv kv) {
        this.kv = kv;
        for (int i = 0; i < kv.maxSequences(); i++) {
            freeNumbers.add(i);
        }
    }

    /**
     * Puts a slot into the next step: afterwards it has KV for the first {@code to} ids. A slot not in use begins a new
     * sequence. At least the last token is computed.
     *
     * @param namespace sequences share prefixes only within one, "" for the common one
     * @param ids prompt and output so far; a slot in use must have the same ids as before and more
     * @param wantLogits whether the step is to give the logits after the last of them
     * @throws LlamaException if more slots are in use than there are sequences
     */
    public void add(int slot, String namespace, int[] ids, int to, boolean wantLogits) {
        Sequence sequence = running.get(slot);
        if (sequence == null) {
            sequence = begin(namespace, ids, to - 1);
            running.put(slot, sequence);
        }
        entries.add(new Entry(sequence, ids, to, wantLogits));
    }

    /**
     * Computes the step; entries are numbered as they were added.
     *
     * @throws LlamaException if the running sequences do not fit the pool; the slots of the step keep what they have
     */
    public void run(LogitsConsumer consumer) {
        List<Entry> step = List.copyOf(entries);
        entries.clear();
        int tokens = 0;
        for (Entry e : step) {
            tokens += e.to - e.sequence.length;
        }
        makeRoom(tokens);
        for (Entry e : step) {
            kv.add(e.sequence.number, e.ids, e.to, e.wantLogits);
        }
        try {
            kv.decode(consumer);
        } finally {
            for (Entry e : step) {
                e.sequence.extend(e.ids, kv.length(e.sequence.number));
            }
        }
    }

    /** A slot's sequence has ended. Its KV is kept as long as there is room. */
    public void release(int slot) {
        Sequence sequence = running.remove(slot);
        if (sequence == null) {
            return;
        }
        if (sequence.length == 0) {
            drop(sequence);
        } else {
            retained.add(sequence);
        }
    }

    /**
     * Size of the KV of so many tokens as bytes. The first call finds out, with a few tokens of its own: best before there is
     * any sequence.
     *
     * @throws LlamaException if this model's KV does not grow evenly: it cannot be handed over
     */
    public long stateBytes(int tokens) {
        if (stateBytesPerToken == 0) {
            int number = freeNumbers.element();
            long[] sizes = new long[3];
            for (int i = 0; i < sizes.length; i++) {
                kv.add(number, new int[sizes.length], i + 1, false);
                kv.decode((entry, logits) -> {});
                sizes[i] = kv.stateBytes(number);
            }
            kv.truncate(number, 0);
            if (sizes[2] - sizes[1] != sizes[1] - sizes[0]) {
                throw new LlamaException(
                        "this model's KV does not grow evenly with the tokens: it cannot be handed over");
            }
            stateBytesPerToken = sizes[1] - sizes[0];
            stateBytes = sizes[0] - stateBytesPerToken;
        }
        return stateBytes + tokens * stateBytesPerToken;
    }

    /**
     * The KV of a slot's sequence as bytes.
     *
     * @throws LlamaException unless it is that of exactly so many tokens
     */
    public byte[] exportState(int slot, int tokens) {
        Sequence sequence = running.get(slot);
        if (sequence == null || sequence.length != tokens) {
            throw new LlamaException("slot " + slot + " has no KV of " + tokens + " tokens");
        }
        return kv.exportState(sequence.number);
    }

    /**
     * Begins a slot's sequence with KV from elsewhere. Where there is no run of free cells as long it does not begin yet: the slot's
     * first step computes what no other sequence has, as ever.
     *
     * @throws LlamaException if that is not KV of so many tokens; the sequence does not begin then either
     */
    public void importState(int slot, String namespace, int[] ids, int tokens, byte[] state) {
        makeRoom(tokens);
        if (kv.capacity() - kv.usedCells() < tokens) {
            return;
        }
        Sequence sequence = begin(namespace, ids, 0);
        boolean imported = false;
        try {
            imported = kv.importState(sequence.number, tokens, state);
        } finally {
            if (imported) {
                sequence.extend(ids, tokens);
                running.put(slot, sequence);
            } else {
                drop(sequence);
            }
        }
    }

    /** Forgets the KV of all ended sequences. */
    public void flush() {
        retained.forEach(this::drop);
        retained.clear();
    }

    /** Tokens that were not computed because another sequence had them, since the start. */
    public long reusedTokens() {
        return reusedTokens;
    }

    private Sequence begin(String namespace, int[] ids, int limit) {
        Sequence best = null;
        int length = 0;
        for (Iterable<Sequence> some : List.of(running.values(), retained)) {
            for (Sequence s : some) {
                int common = s.commonPrefix(namespace, ids, limit);
                if (common > length) {
                    best = s;
                    length = common;
                }
            }
        }
        if (retained.remove(best)) {
            // Used just now: last in line to be dropped.
            retained.add(best);
        }
        if (freeNumbers.isEmpty()) {
            dropLongestUnused(best);
        }
        Sequence sequence;
        if (freeNumbers.isEmpty() && retained.remove(best)) {
            // No number left to share it under: go on with the ended sequence itself.
            sequence = new Sequence(best.number, namespace);
            kv.truncate(best.number, length);
        } else if (freeNumbers.isEmpty()) {
            throw new LlamaException("more sequences at once than the " + kv.maxSequences() + " there are numbers for");
        } else {
            sequence = new Sequence(freeNumbers.remove(), namespace);
            if (length > 0) {
                kv.copyPrefix(best.number, sequence.number, length);
            }
        }
        sequence.extend(ids, length);
        reusedTokens += length;
        return sequence;
    }

    private void makeRoom(int tokens) {
        while (kv.capacity() - kv.usedCells() < tokens && !retained.isEmpty()) {
            dropLongestUnused(null);
        }
        if (kv.capacity() - kv.usedCells() < tokens) {
            shareEqualPrefixes();
        }
    }

    private void dropLongestUnused(Sequence butNot) {
        for (Sequence s : retained) {
            if (s != butNot) {
                retained.remove(s);
                drop(s);
                return;
            }
        }
    }

    private void drop(Sequence sequence) {
        kv.truncate(sequence.number, 0);
        freeNumbers.add(sequence.number);
    }

    private void shareEqualPrefixes() {
        List<Sequence> all = List.copyOf(running.values());
        for (int i = 1; i < all.size(); i++) {
            Sequence s = all.get(i);
            Sequence best = null;
            int length = 0;
            for (Sequence earlier : all.subList(0, i)) {
                int common = earlier.commonPrefix(s.namespace, s.ids, s.length);
                if (common > length) {
                    best = earlier;
                    length = common;
                }
            }
            if (best != null) {
                kv.copyPrefix(best.number, s.number, length);
            }
        }
    }
}
