package dpserve.scheduler;

import static dpserve.scheduler.TestRank.prompt;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dpserve.io.WireRid;
import dpserve.io.message.FlushCacheReqInput;
import dpserve.io.message.FlushCacheReqOutput;
import dpserve.io.message.GetLoadReqInput;
import dpserve.io.message.GetLoadReqOutput;
import dpserve.io.message.HealthCheckOutput;
import dpserve.io.message.Message;
import dpserve.io.message.ShutdownReq;
import dpserve.io.message.TokenizedGenerateReqInput;
import org.junit.jupiter.api.Test;

class ReportTest {
    private final TestConfig config = new TestConfig();

    private TestRank rank() {
        return new TestRank(config);
    }

    private static FlushCacheReqInput flush(Double timeoutS) {
        return new FlushCacheReqInput("flush", TestRank.WORKER, timeoutS);
    }

    private static TokenizedGenerateReqInput probe(String rid) {
        return TokenizedGenerateReqInput.of(rid, TestRank.WORKER, new int[] {0}, Params.tokens(1), true);
    }

    @Test
    void shouldSampleAfterTheResultsWereApplied() {
        config.maxRunningRequests = 2;
        TestRank rank = rank();
        rank.request("a", prompt(1, 10), 2);
        rank.request("b", prompt(2, 20), 9);
        rank.request("c", prompt(3, 30), 9);
        rank.step();
        rank.step();
        GetLoadReqOutput load = rank.lastReport();
        assertThat(load.numReqs()).isEqualTo(2);
        assertThat(load.numWaitingReqs()).isEqualTo(1);
        assertThat(load.receivedReqs()).isEqualTo(3);
        assertThat(load.receivedTokens()).isEqualTo(60);
        assertThat(load.endedReqs()).isEqualTo(1);
        assertThat(load.endedTokens()).isEqualTo(10);
        assertThat(load.numOutputTokens()).isEqualTo(2);
        assertThat(load.numUsedTokens()).isEqualTo(21);
        assertThat(load.numTokens()).isEqualTo(21 + 30);
        assertThat(load.maxTotalNumTokens()).isEqualTo(config.maxTotalTokens);
        assertThat(load.dpRank()).isEqualTo(2);
        assertThat(load.incarnation()).isEqualTo(TestRank.INCARNATION);
        assertThat(load.tsTic()).isCloseTo(rank.nowNs / 1e9, within(1e-9));
        assertThat(load.seq()).isEqualTo(2);
    }

    @Test
    void shouldReportOnceWhenItBecomesIdle() {
        TestRank rank = rank();
        assertThat(rank.step()).isNull();
        assertThat(rank.step()).isNull();
        assertThat(rank.reports).hasSize(1);
        rank.request("a", prompt(1, 4), 2);
        rank.runUntilIdle();
        assertThat(rank.step()).isNull();
        assertThat(rank.reports).hasSize(4);
        assertThat(rank.parts.get(3).size()).isZero();
        assertThat(rank.lastReport().numReqs()).isZero();
    }

    @Test
    void shouldReportARefusalThoughNoBatchRuns() {
        TestRank rank = rank();
        rank.step();
        rank.request("empty", new int[0], 2);
        rank.step();
        assertThat(rank.reports).hasSize(2);
        assertThat(rank.lastReport().endedReqs()).isEqualTo(1);
    }

    @Test
    void shouldAnswerALoadCallWithTheNextSequenceNumber() {
        TestRank rank = rank();
        rank.step();
        rank.request("a", prompt(1, 4), 2);
        rank.send(new GetLoadReqInput("call", TestRank.WORKER));
        GetLoadReqOutput answer = (GetLoadReqOutput) rank.answers.get(0);
        assertThat(answer.rid()).isEqualTo("call");
        assertThat(answer.httpWorkerIpc()).isEqualTo(TestRank.WORKER);
        assertThat(answer.seq()).isEqualTo(2);
        assertThat(answer.numReqs()).isEqualTo(1);
        rank.step();
        assertThat(rank.lastReport().seq()).isEqualTo(3);
    }

    @Test
    void shouldStillPiggybackWhatOnlyACallHasSeen() {
        config.chunkedPrefillSize = 10;
        TestRank rank = rank();
        rank.request("a", prompt(1, 30), 2);
        rank.send(new GetLoadReqInput("call", TestRank.WORKER));
        rank.step();
        assertThat(rank.lastReport().receivedReqs()).isEqualTo(1);
    }

    @Test
    void shouldNameWhatItHolds() {
        TestRank rank = rank();
        rank.request("b", prompt(1, 4), 20);
        rank.request("a", prompt(2, 4), 20);
        rank.step();
        assertThat(rank.scheduler.heldRids()).containsExactly("a", "b");
        assertThat(rank.scheduler.heldCount()).isEqualTo(2);
        assertThat(rank.scheduler.heldHash()).isEqualTo(WireRid.hash64("a") ^ WireRid.hash64("b"));
        assertThat(rank.scheduler.steps()).isEqualTo(1);
    }

    @Test
    void shouldCountFromWhatItHoldsWhenItRegistersAnew() {
        TestRank rank = rank();
        rank.request("a", prompt(1, 4), 2);
        rank.runUntilIdle();
        rank.request("b", prompt(2, 7), 2);
        rank.step();
        rank.scheduler.restart(99);
        GetLoadReqOutput load = rank.scheduler.load(rank.nowNs, 0);
        assertThat(load.incarnation()).isEqualTo(99);
        assertThat(load.seq()).isEqualTo(1);
        assertThat(load.receivedReqs()).isEqualTo(1);
        assertThat(load.receivedTokens()).isEqualTo(7);
        assertThat(load.endedReqs()).isZero();
        rank.runUntilIdle();
        rank.assertEmpty();
    }

    @Test
    void shouldReuseTheNewestReportWhileItIsYoung() {
        TestRank rank = rank();
        long seq = rank.scheduler.load(1000, 50).seq();
        assertThat(rank.scheduler.load(1040, 50).seq()).isEqualTo(seq);
        assertThat(rank.scheduler.load(1051, 50).seq()).isEqualTo(seq + 1);
    }

    @Test
    void shouldFlushTheCacheWhenIdle() {
        TestRank rank = rank();
        rank.request("a", prompt(1, 40), 2);
        rank.runUntilIdle();
        assertThat(rank.counter("radix_cache_tokens")).isPositive();
        rank.send(flush(null));
        rank.step();
        assertThat(((FlushCacheReqOutput) rank.answers.get(0)).success()).isTrue();
        assertThat(((FlushCacheReqOutput) rank.answers.get(0)).rid()).isEqualTo("flush");
        assertThat(((FlushCacheReqOutput) rank.answers.get(0)).dpRank()).isEqualTo(2);
        assertThat(rank.counter("radix_cache_tokens")).isZero();
        rank.request("b", prompt(1, 40), 2);
        rank.runUntilIdle();
        assertThat(rank.reply("b").cachedTokens).isZero();
        rank.assertEmpty();
    }

    @Test
    void shouldCountTheMostRequestsHeldSinceTheLastFlush() {
        config.maxRunningRequests = 2;
        TestRank rank = rank();
        for (int i = 0; i < 3; i++) {
            rank.request("r" + i, prompt(i, 10), 2);
        }
        rank.runUntilIdle();
        rank.request("alone", prompt(9, 10), 2);
        rank.runUntilIdle();
        assertThat(rank.counter("peak_reqs")).isEqualTo(3);

        rank.send(flush(null));
        rank.step();
        assertThat(rank.counter("peak_reqs")).isZero();
        rank.request("again", prompt(9, 10), 2);
        assertThat(rank.counter("peak_reqs")).isEqualTo(1);
    }

    @Test
    void shouldRefuseToFlushWhileBusyAtOnceOrAfterTheWait() {
        TestRank rank = rank();
        rank.request("a", prompt(1, 40), 40);
        rank.step();
        rank.send(flush(0.0));
        rank.send(flush(0.5));
        rank.send(flush(60.0));
        rank.step();
        assertThat(rank.answers).hasSize(1);
        FlushCacheReqOutput refused = (FlushCacheReqOutput) rank.answers.get(0);
        assertThat(refused.success()).isFalse();
        assertThat(refused.message()).contains("#queue-req: 0").contains("#running-req: 1");
        while (rank.table("running") > 0) {
            rank.step();
        }
        assertThat(rank.answers).hasSize(2);
        assertThat(rank.step()).isNull();
        assertThat(((FlushCacheReqOutput) rank.answers.get(2)).success()).isTrue();
        rank.assertEmpty();
    }

    @Test
    void shouldRunAHealthProbeWhenIdleWithoutCountingIt() {
        TestRank rank = rank();
        rank.step();
        rank.send(probe("HEALTH_CHECK_1"));
        assertThat(rank.describeStep()).isEqualTo("PREFILL HEALTH_CHECK_1[0,1)");
        HealthCheckOutput answer = (HealthCheckOutput) rank.answers.get(0);
        assertThat(answer.rid()).isEqualTo("HEALTH_CHECK_1");
        assertThat(answer.httpWorkerIpc()).isEqualTo(TestRank.WORKER);
        assertThat(rank.step()).isNull();
        rank.assertEmpty();
        assertThat(rank.reports).hasSize(1);
        assertThat(rank.lastReport().receivedReqs()).isZero();
    }

    @Test
    void shouldAnswerAHealthProbeAfterTheNextBatchWhenBusy() {
        TestRank rank = rank();
        rank.request("a", prompt(1, 4), 4);
        rank.send(probe("HEALTH_CHECK_1"));
        assertThat(rank.answers).isEmpty();
        assertThat(rank.describeStep()).isEqualTo("PREFILL a[0,4)");
        assertThat(rank.answers).singleElement().isInstanceOf(HealthCheckOutput.class);
        rank.runUntilIdle();
        assertThat(rank.replies).containsOnlyKeys("a");
        rank.assertEmpty();
    }

    @Test
    void shouldWriteTheDecodeLineOfSglang() {
        config.decodeLogInterval = 10;
        TestRank rank = rank();
        for (int i = 0; i < 25; i++) {
            rank.request("r" + i, prompt(i, 673), 60);
        }
        rank.runUntilIdle();
        String line = rank.lines.stream()
                .filter(l -> l.contains("Decode"))
                .skip(1)
                .findFirst()
                .orElseThrow();
        // Twenty decode steps: 25 x (673 + 20) tokens. 25 tokens in 48 ms are 520 a second.
        assertThat(line)
                .matches("DP2 Decode batch, #running-req: 25, #token: 17325, token usage: 0\\.32, cuda graph: False,"
                        + " gen throughput \\(token/s\\): 5[12][0-9]\\.[0-9]{2}, #queue-req: 0");
        assertThat(rank.reports.stream()
                        .mapToDouble(GetLoadReqOutput::genThroughput)
                        .max()
                        .orElse(0))
                .isCloseTo(520, within(15.0));
        assertThat(rank.lastReport().genThroughput()).isZero();
    }

    @Test
    void shouldWriteThePrefillLineOfSglang() {
        TestRank rank = rank();
        rank.request("a", prompt(1, 60), 1);
        rank.runUntilIdle();
        rank.request("b", prompt(1, 80), 5);
        rank.request("c", prompt(2, 20), 5);
        rank.step();
        assertThat(rank.lines.get(rank.lines.size() - 1))
                .matches("DP2 Prefill batch, #new-seq: 2, #new-token: 40, #cached-token: 60, token usage: 0\\.00,"
                        + " #running-req: 0, #queue-req: 0, #pending-token: 0, cuda graph: False,"
                        + " input throughput \\(token/s\\): [0-9.]+");
        assertThat(rank.lastReport().cacheHitRate()).isCloseTo(0.6, within(1e-9));
    }

    @Test
    void shouldLeaveOtherMessagesToItsProcess() {
        Message other = new ShutdownReq("x", TestRank.WORKER);
        assertThat(rank().scheduler.onMessage(other, 0)).isFalse();
    }
}
