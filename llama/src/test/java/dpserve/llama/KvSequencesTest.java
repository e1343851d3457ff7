package dpserve.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class KvSequencesTest {
    private final CellPool kv = new CellPool(40, 4);
    private final KvSequences sequences = new KvSequences(kv);

    private static int[] ids(int... ids) {
        return ids;
    }

    private void step(int slot, String namespace, int[] ids) {
        sequences.add(slot, namespace, ids, ids.length, true);
        sequences.run((entry, logits) -> {});
        kv.check();
    }

    private void step(int slot, int... ids) {
        step(slot, "", ids);
    }

    @Test
    void shouldComputeOnlyWhatASlotHasNot() {
        step(0, 1, 2, 3);
        assertThat(kv.computed).isEqualTo(3);
        step(0, 1, 2, 3, 4);
        assertThat(kv.computed).isEqualTo(4);
        assertThat(kv.tokensOfLastEntry()).containsExactly(1, 2, 3, 4);
    }

    @Test
    void shouldBeginWithThePrefixOfARunningSequence() {
        step(0, 1, 2, 3, 4);
        step(1, 1, 2, 3, 9);

        assertThat(kv.computed).isEqualTo(5);
        assertThat(sequences.reusedTokens()).isEqualTo(3);
        assertThat(kv.usedCells()).isEqualTo(5);
    }

    @Test
    void shouldAlwaysComputeTheLastToken() {
        step(0, 1, 2, 3);
        step(1, 1, 2, 3);

        assertThat(kv.computed).isEqualTo(4);
    }

    @Test
    void shouldBeginWithThePrefixOfAnEndedSequence() {
        step(0, 1, 2, 3, 4);
        sequences.release(0);
        step(7, 1, 2, 3, 4, 5);

        assertThat(kv.computed).isEqualTo(5);
    }

    @Test
    void shouldShareWithinANamespaceOnly() {
        step(0, "a", ids(1, 2, 3));
        step(1, "b", ids(1, 2, 3));
        assertThat(kv.computed).isEqualTo(6);
        step(2, "b", ids(1, 2, 4));
        assertThat(kv.computed).isEqualTo(7);
    }

    @Test
    void shouldDropTheLongestUnusedWhenCellsRunShort() {
        step(0, sequence(1, 15));
        sequences.release(0);
        step(0, sequence(2, 15));
        sequences.release(0);
        // Sequence 1 is used again, so 2 goes first.
        step(0, sequence(1, 12));
        sequences.release(0);
        step(1, sequence(3, 20));

        assertThat(kv.usedCells()).isEqualTo(36); // one cell of sequence 1 is held twice
        int before = kv.computed;
        step(2, sequence(1, 15));
        assertThat(kv.computed).isEqualTo(before + 1);
    }

    @Test
    void shouldGiveNothingBackBeforeRoomIsNeeded() {
        step(0, 1, 2, 3);
        step(1, 1, 2, 3, 4);
        sequences.release(0);
        sequences.release(1);
        step(0, 1, 2, 3, 4, 5);
        sequences.release(0);

        assertThat(kv.sequencesInUse()).isEqualTo(3);
        sequences.flush();
        assertThat(kv.usedCells()).isZero();
    }

    @Test
    void shouldGoOnWithAnEndedSequenceWhenNoNumberIsLeft() {
        for (int slot = 0; slot < 4; slot++) {
            step(slot, 1 + slot, 2, 3);
        }
        sequences.release(3);
        int before = kv.computed;
        step(5, 4, 2, 9);

        assertThat(kv.computed).isEqualTo(before + 1);
        assertThatThrownBy(() -> step(6, 1, 2, 3, 4))
                .isInstanceOf(LlamaException.class)
                .hasMessageContaining("more sequences at once than the 4");
        assertThatCode(() -> step(5, 4, 2, 9, 10)).doesNotThrowAnyException();
    }

    @Test
    void shouldMakeSequencesShareWhatTheyComputedTwice() {
        int[] common = sequence(1, 18);
        for (int slot = 0; slot < 2; slot++) {
            sequences.add(slot, "", common, 18, true);
        }
        sequences.run((entry, logits) -> {});
        assertThat(kv.usedCells()).isEqualTo(36);
        int[] longer = Arrays.copyOf(common, 30);
        step(0, longer);

        assertThat(kv.usedCells()).isEqualTo(30);
        step(1, Arrays.copyOf(common, 20));
        kv.check();
    }

    @Test
    void shouldKeepWhatASlotHadWhenAStepDoesNotFit() {
        step(0, sequence(1, 30));
        assertThatThrownBy(() -> step(0, sequence(1, 45))).isInstanceOf(LlamaException.class);

        int before = kv.computed;
        step(0, sequence(1, 31));
        assertThat(kv.computed).isEqualTo(before + 1);
    }

    @Test
    void shouldGoOnWithKvFromElsewhere() {
        CellPool otherPool = new CellPool(40, 4);
        KvSequences other = new KvSequences(otherPool);
        assertThat(other.stateBytes(10)).isEqualTo(47);
        step(3, 1, 2, 3);
        other.importState(1, "", ids(1, 2, 3, 9), 3, sequences.exportState(3, 3));
        int before = otherPool.computed;
        other.add(1, "", ids(1, 2, 3, 9), 4, true);
        other.run((entry, logits) -> {});

        assertThat(otherPool.computed).isEqualTo(before + 1);
        assertThat(otherPool.tokensOfLastEntry()).containsExactly(1, 2, 3, 9);
        assertThatThrownBy(() -> sequences.exportState(3, 2)).isInstanceOf(LlamaException.class);
        assertThatThrownBy(() -> sequences.exportState(4, 3)).isInstanceOf(LlamaException.class);
    }

    @Test
    void shouldComputeWhatFindsNoRoomInOnePiece() {
        kv.inPieces = true;
        sequences.importState(1, "", ids(1, 2, 3, 9), 3, new byte[19]);
        step(1, 1, 2, 3, 9);

        assertThat(kv.computed).isEqualTo(4);
        assertThat(kv.tokensOfLastEntry()).containsExactly(1, 2, 3, 9);
    }

    @Test
    void shouldMakeRoomForKvFromElsewhereAndGoOnWithoutIfThereIsNone() {
        step(0, sequence(1, 30));
        sequences.release(0);
        byte[] state = new byte[7 + 4 * 20];
        sequences.importState(1, "", new int[21], 20, state);
        assertThat(kv.usedCells()).isEqualTo(20);

        sequences.importState(2, "", new int[31], 30, new byte[7 + 4 * 30]);
        assertThat(kv.usedCells()).isEqualTo(20);
        step(2, new int[22]); // shares what both have
        assertThat(kv.usedCells()).isEqualTo(22);
    }

    /** Any order of begins, steps and ends: every entry is computed after exactly the tokens that were asked for. */
    @Test
    void shouldHoldExactlyTheTokensAskedFor() {
        Random random = new Random(5);
        Map<Integer, int[]> running = new HashMap<>();
        for (int n = 0; n < 5_000; n++) {
            List<int[]> step = new ArrayList<>();
            for (int slot = 0; slot < 3; slot++) {
                int[] ids = running.get(slot);
                int length = ids == null ? 0 : ids.length;
                if (ids != null && (length > 9 || random.nextInt(6) == 0)) {
                    sequences.release(slot);
                    running.remove(slot);
                } else if (random.nextBoolean()) {
                    int[] longer = Arrays.copyOf(ids == null ? new int[0] : ids, length + 1 + random.nextInt(3));
                    for (int i = length; i < longer.length; i++) {
                        longer[i] = random.nextInt(2);
                    }
                    running.put(slot, longer);
                    sequences.add(slot, "", longer, longer.length, true);
                    step.add(longer);
                }
            }
            List<Integer> seen = new ArrayList<>();
            sequences.run((entry, logits) -> seen.add(entry));
            kv.check();
            assertThat(kv.entriesOfStep).usingRecursiveComparison().isEqualTo(step);
            assertThat(seen).hasSize(step.size());
        }
        assertThat(sequences.reusedTokens()).isGreaterThan(1_000);
    }

    private static int[] sequence(int kind, int length) {
        int[] ids = new int[length];
        Arrays.setAll(ids, i -> 100 * kind + i);
        return ids;
    }

    /** Cells as llama.cpp keeps them: each has a token, a position and the sequences that see it. */
    private static final class CellPool implements SequenceKv {
        private final int capacity;
        private final int[] lengths;
        private final List<Cell> cells = new ArrayList<>();
        private final List<int[]> pending = new ArrayList<>();
        private List<int[]> entriesOfStep = new ArrayList<>();
        private int pendingTokens;
        private int computed;
        private boolean inPieces;

        private record Cell(int token, int position, Set<Integer> sequences) {}

        CellPool(int capacity, int sequences) {
            this.capacity = capacity;
            this.lengths = new int[sequences];
        }

        @Override
        public int capacity() {
            return capacity;
        }

        @Override
        public int usedCells() {
            return cells.size();
        }

        @Override
        public int maxSequences() {
            return lengths.length;
        }

        @Override
        public int length(int sequence) {
            return lengths[sequence];
        }

        @Override
        public int add(int sequence, int[] ids, int to, boolean wantLogits) {
            assertThat(to).isGreaterThan(lengths[sequence]);
            int[] entry = {sequence, to};
            pending.add(entry);
            for (int i = lengths[sequence]; i < to; i++) {
                cells.add(new Cell(ids[i], i, new HashSet<>(Set.of(sequence))));
                pendingTokens++;
            }
            lengths[sequence] = to;
            return pending.size() - 1;
        }

        @Override
        public int pendingTokens() {
            return pendingTokens;
        }

        @Override
        public void decode(LogitsConsumer consumer) {
            int count = pendingTokens;
            pendingTokens = 0;
            List<int[]> step = List.copyOf(pending);
            pending.clear();
            if (cells.size() > capacity) {
                List<Cell> undone = List.copyOf(cells.subList(cells.size() - count, cells.size()));
                undone.forEach(c -> lengths[c.sequences.iterator().next()]--);
                cells.removeAll(undone);
                throw new LlamaException("full");
            }
            computed += count;
            entriesOfStep = new ArrayList<>();
            for (int i = 0; i < step.size(); i++) {
                entriesOfStep.add(tokens(step.get(i)[0]));
                consumer.accept(i, new float[0]);
            }
        }

        @Override
        public void truncate(int sequence, int length) {
            remove(sequence, length, Integer.MAX_VALUE);
            lengths[sequence] = Math.min(length, lengths[sequence]);
        }

        @Override
        public void copyPrefix(int source, int target, int length) {
            assertThat(length).isLessThanOrEqualTo(lengths[source]);
            remove(target, 0, length);
            cells.stream()
                    .filter(c -> c.position < length && c.sequences.contains(source))
                    .forEach(c -> c.sequences.add(target));
            lengths[target] = Math.max(length, lengths[target]);
        }

        @Override
        public long stateBytes(int sequence) {
            return 7 + 4L * lengths[sequence];
        }

        @Override
        public byte[] exportState(int sequence) {
            ByteBuffer bytes = ByteBuffer.allocate((int) stateBytes(sequence));
            for (int token : tokens(sequence)) {
                bytes.putInt(token);
            }
            return bytes.array();
        }

        @Override
        public boolean importState(int sequence, int length, byte[] state) {
            assertThat(lengths[sequence]).isZero();
            if (state.length != 7 + 4 * length) {
                throw new LlamaException("other bytes");
            }
            if (inPieces) {
                return false;
            }
            ByteBuffer in = ByteBuffer.wrap(state);
            for (int i = 0; i < length; i++) {
                cells.add(new Cell(in.getInt(), i, new HashSet<>(Set.of(sequence))));
            }
            assertThat(cells).hasSizeLessThanOrEqualTo(capacity);
            lengths[sequence] = length;
            return true;
        }

        private void remove(int sequence, int from, int to) {
            cells.stream()
                    .filter(c -> c.position >= from && c.position < to)
                    .forEach(c -> c.sequences.remove(sequence));
            cells.removeIf(c -> c.sequences.isEmpty());
        }

        private int[] tokens(int sequence) {
            return cells.stream()
                    .filter(c -> c.sequences.contains(sequence))
                    .sorted((a, b) -> Integer.compare(a.position, b.position))
                    .mapToInt(Cell::token)
                    .toArray();
        }

        int[] tokensOfLastEntry() {
            return entriesOfStep.get(entriesOfStep.size() - 1);
        }

        int sequencesInUse() {
            return (int) Arrays.stream(lengths).filter(l -> l > 0).count();
        }

        /** Each sequence sees one cell for each of its positions. */
        void check() {
            for (int s = 0; s < lengths.length; s++) {
                assertThat(tokens(s)).hasSize(lengths[s]);
            }
            assertThat(cells.size()).isLessThanOrEqualTo(capacity);
        }
    }
}
