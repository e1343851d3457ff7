package dpserve.detokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.detokenizer.TokenOutputs.Row;
import dpserve.io.message.BatchStrOutput;
import dpserve.io.message.BatchTokenIDOutput;
import dpserve.io.message.FinishReason;
import dpserve.io.message.GetLoadReqOutput;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;

class WorkerSplitTest {
    private static final String A = "tcp://127.0.0.1:35001";
    private static final String B = "tcp://127.0.0.1:35002";
    private static final GetLoadReqOutput LOAD = GetLoadReqOutput.legacy(2, 5, 1, 700, 1.5);

    private final List<String> notices = new ArrayList<>();
    private final List<Integer> workers = new ArrayList<>();
    private final List<BatchStrOutput> parts = new ArrayList<>();

    @Test
    void shouldGiveEachWorkerItsRequestsInOrderWithEveryColumn() {
        BatchTokenIDOutput batch = TokenOutputs.withLoad(
                LOAD,
                Row.first("r0", new int[] {1}, 2, 3).to(B),
                Row.later("r1", 9, 4).to(A).finished(new FinishReason.Length(9)),
                Row.later("r2", 5, 6, 7).to(B));

        split(List.of(A, B), batch, "zero", "one", "two");

        assertThat(workers).containsExactly(1, 0);
        BatchStrOutput b = parts.get(0);
        assertThat(b.rids()).containsExactly("r0", "r2");
        assertThat(b.httpWorkerIpcs()).containsExactly(B, B);
        assertThat(b.outputStrs()).containsExactly("zero", "two");
        assertThat(b.outputIds()).isDeepEqualTo(new int[][] {{2, 3}, {6, 7}});
        assertThat(b.completionTokens()).containsExactly(2, 5);
        assertThat(b.cachedTokens()).containsExactly(9, 12);
        assertThat(b.promptTokens()).containsExactly(batch.promptTokens()[0], batch.promptTokens()[2]);
        assertThat(b.reasoningTokens()).containsExactly(0, 0);
        assertThat(b.retractionCounts()).containsExactly(0, 0);
        assertThat(b.dpRanks()).containsExactly(2, 2);
        assertThat(parts.get(1).rids()).containsExactly("r1");
        assertThat(parts.get(1).finishedReasons()).containsExactly(new FinishReason.Length(9));
    }

    @Test
    void shouldLetTheLoadRideOnceWhateverTheBatch() {
        List<String> endpoints = List.of(A, B, "tcp://127.0.0.1:35003");
        Random random = new Random(5);
        for (int round = 0; round < 2000; round++) {
            parts.clear();
            workers.clear();
            Row[] rows = new Row[random.nextInt(6)];
            String[] texts = new String[rows.length];
            for (int i = 0; i < rows.length; i++) {
                String endpoint = random.nextInt(5) == 0 ? "tcp://10.0.0.1:1" : endpoints.get(random.nextInt(3));
                rows[i] = Row.later("r" + i, 5, 1).to(endpoint);
                texts[i] = random.nextInt(5) == 0 ? null : "t";
            }
            split(endpoints, TokenOutputs.withLoad(LOAD, rows), texts);

            assertThat(parts.stream().map(BatchStrOutput::load).filter(Objects::nonNull))
                    .as("round %d", round)
                    .containsExactly(LOAD);
            assertThat(parts.get(0).load()).isSameAs(LOAD);
            assertThat(workers).doesNotHaveDuplicates();
            assertThat(parts.stream().mapToInt(BatchStrOutput::size).sum())
                    .isEqualTo(java.util.stream.IntStream.range(0, rows.length)
                            .filter(i -> texts[i] != null && endpoints.contains(rows[i].ipc()))
                            .count());
        }
    }

    @Test
    void shouldSendAnIdleReportToWorkerZero() {
        split(List.of(A, B), TokenOutputs.withLoad(LOAD));

        assertThat(workers).containsExactly(0);
        assertThat(parts.get(0).size()).isZero();
        assertThat(parts.get(0).load()).isSameAs(LOAD);
    }

    @Test
    void shouldSendNothingForNothing() {
        split(List.of(A), TokenOutputs.of());

        assertThat(parts).isEmpty();
    }

    @Test
    void shouldTakeNoEndpointForTheOnlyWorkers() {
        split(List.of(A), TokenOutputs.of(Row.later("r", 5, 1)), "t");

        assertThat(workers).containsExactly(0);
        assertThat(notices).isEmpty();

        split(List.of(A, B), TokenOutputs.of(Row.later("r", 5, 1)), "t");
        assertThat(workers).hasSize(1);
        assertThat(notices).containsExactly("no_worker_endpoint");
    }

    @Test
    void shouldNeverSendToAnEndpointThatWasNotConfigured() {
        split(List.of(A), TokenOutputs.of(Row.later("r", 5, 1).to("tcp://10.0.0.1:9")), "t");

        assertThat(parts).isEmpty();
        assertThat(notices).containsExactly("unknown_worker_endpoint");
    }

    @Test
    void shouldFillColumnsThatASglangSchedulerMayLeaveOut() {
        BatchTokenIDOutput full = TokenOutputs.of(Row.later("r", 5, 1));
        BatchTokenIDOutput bare = new BatchTokenIDOutput(
                full.rids(),
                null,
                full.finishedReasons(),
                full.decodedTexts(),
                full.decodeIds(),
                full.readOffsets(),
                null,
                full.skipSpecialTokens(),
                full.spacesBetweenSpecialTokens(),
                full.noStopTrim(),
                full.promptTokens(),
                full.reasoningTokens(),
                full.completionTokens(),
                full.cachedTokens(),
                null,
                null,
                null);

        split(List.of(A), bare, "t");

        assertThat(parts.get(0).retractionCounts()).containsExactly(0);
        assertThat(parts.get(0).outputIds()).isDeepEqualTo(new int[1][0]);
        assertThat(parts.get(0).dpRanks()).isNull();
        assertThat(parts.get(0).load()).isNull();
    }

    private void split(List<String> endpoints, BatchTokenIDOutput batch, String... texts) {
        new WorkerSplit(endpoints, (kind, detail) -> notices.add(kind)).split(batch, texts, 7.5, (part, worker) -> {
            parts.add(part);
            workers.add(worker);
        });
    }
}
