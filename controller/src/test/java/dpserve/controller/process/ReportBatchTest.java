package dpserve.controller.process;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.io.Env;
import dpserve.io.LogLimiter;
import dpserve.io.codec.IntArrayForm;
import dpserve.io.codec.MessageCodec;
import dpserve.io.message.EndNotice;
import dpserve.io.message.GetLoadReqOutput;
import dpserve.io.message.WatchLoadUpdateReq;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class ReportBatchTest {
    private final MessageCodec codec = new MessageCodec(IntArrayForm.INT32);
    private final List<GetLoadReqOutput> through = new ArrayList<>();
    private final AtomicLong superseded = new AtomicLong();
    private final ReportBatch batch = batch(Map.of());

    private ReportBatch batch(Map<String, String> environment) {
        ReportInjection injection = new ReportInjection(new Env(environment), 1.0, through::addAll);
        return new ReportBatch(injection, codec, new LogLimiter(LoggerFactory.getLogger("test")), superseded);
    }

    private static GetLoadReqOutput load(int dpRank, long incarnation, long seq, int numReqs) {
        return new GetLoadReqOutput(
                null, null, dpRank, numReqs, 0, 0, seq, incarnation, seq, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    }

    private boolean offer(GetLoadReqOutput... loads) {
        return batch.offer(codec.encode(new WatchLoadUpdateReq(null, null, List.of(loads))));
    }

    @Test
    void shouldHandOnTheNewestOfEachRank() {
        assertThat(offer(load(0, 9, 1, 10))).isTrue();
        offer(load(1, 9, 1, 20));
        offer(load(0, 9, 2, 11));
        assertThat(through).as("they wait for the others of their batch").isEmpty();
        batch.flush();
        assertThat(through).containsExactly(load(0, 9, 2, 11), load(1, 9, 1, 20));
        assertThat(superseded.get()).isEqualTo(1);
        batch.flush();
        assertThat(through).hasSize(2);
    }

    @Test
    void shouldGoByTheNumberAndNotByTheOrderOfArrival() {
        offer(load(0, 9, 5, 10));
        offer(load(0, 9, 4, 99));
        batch.flush();
        assertThat(through).containsExactly(load(0, 9, 5, 10));
        assertThat(superseded.get()).isEqualTo(1);
    }

    @Test
    void shouldCompareNoReportWithThatOfAnotherIncarnationOrOneWithoutNumber() {
        GetLoadReqOutput legacy = GetLoadReqOutput.legacy(0, 3, 0, 0, 1);
        offer(load(0, 9, 5, 10));
        offer(load(0, 10, 1, 11));
        offer(legacy);
        batch.flush();
        assertThat(through).containsExactly(load(0, 9, 5, 10), load(0, 10, 1, 11), legacy);
        assertThat(superseded.get()).isZero();
    }

    @Test
    void shouldTakeTheLastOfThoseWithoutNumber() {
        offer(GetLoadReqOutput.legacy(0, 3, 0, 0, 2));
        offer(GetLoadReqOutput.legacy(0, 4, 0, 0, 1));
        batch.flush();
        assertThat(through).containsExactly(GetLoadReqOutput.legacy(0, 4, 0, 0, 1));
    }

    @Test
    void shouldNotLetAReportWaitForEverMore() {
        for (int seq = 1; through.isEmpty(); seq++) {
            assertThat(seq).isLessThan(1000);
            offer(load(0, 9, seq, seq));
        }
    }

    @Test
    void shouldLeaveOtherMessagesToTheCaller() {
        assertThat(batch.offer(codec.encode(new EndNotice(new String[0])))).isFalse();
        assertThat(offer(load(0, 9, 1, 1), load(1, 9, 1, 1))).isFalse();
        assertThat(offer(load(100_000, 9, 1, 1))).isFalse();
    }

    @Test
    void shouldKeepHandsOffWhereReportsAreLostOrDelayedOnPurpose() {
        byte[] frame = codec.encode(new WatchLoadUpdateReq(null, null, List.of(load(0, 9, 1, 1))));
        assertThat(batch(Map.of(ReportInjection.EVERY, "2")).offer(frame)).isFalse();
        assertThat(batch(Map.of(ReportInjection.DELAY_MS, "5")).offer(frame)).isFalse();
        assertThat(batch(Map.of(ReportInjection.DROP, "0.5")).offer(frame)).isFalse();
    }
}
