package dpserve.scheduler;

import static dpserve.scheduler.TestRank.expected;
import static dpserve.scheduler.TestRank.prompt;
import static org.assertj.core.api.Assertions.assertThat;

import dpserve.io.message.AbortReq;
import dpserve.io.message.FinishReason;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class AbortTest {
    private static final FinishReason ABORTED = new FinishReason.Abort("Aborted", null, null);

    private final TestConfig config = new TestConfig();

    @Test
    void shouldAnswerForAWaitingRequestDirectly() {
        TestRank rank = new TestRank(config);
        rank.request("a", prompt(1, 4), 5);
        rank.abort("a");
        AbortReq answer = rank.reply("a").abort;
        assertThat(answer.rid()).isEqualTo("a");
        assertThat(answer.finishedReason()).isEqualTo(new FinishReason.Abort("Abort in waiting queue", null, null));
        assertThat(rank.step()).isNull();
        rank.assertEmpty();
        assertThat(rank.lastReport().endedReqs()).isEqualTo(1);
    }

    @Test
    void shouldEndARunningRequestByTheNextBatch() {
        TestRank rank = new TestRank(config);
        rank.request("a", prompt(1, 4), 50);
        rank.request("b", prompt(2, 4), 6);
        rank.step();
        rank.step();
        rank.abort("a");
        assertThat(rank.reply("a").isEnded()).isFalse();
        rank.step();
        assertThat(rank.reply("a").reason).isEqualTo(ABORTED);
        assertThat(rank.reply("a").ids).isEqualTo(Arrays.copyOf(expected(prompt(1, 4), 50), 2));
        rank.runUntilIdle();
        assertThat(rank.reply("b").ids).isEqualTo(expected(prompt(2, 4), 6));
        rank.assertEmpty();
    }

    @Test
    void shouldEndAPromptInChunksAfterItsStep() {
        config.chunkedPrefillSize = 10;
        TestRank rank = new TestRank(config);
        rank.request("a", prompt(1, 35), 5);
        rank.step();
        rank.abort("a");
        assertThat(rank.describeStep()).isEqualTo("PREFILL a[10,20)");
        assertThat(rank.reply("a").reason).isEqualTo(ABORTED);
        assertThat(rank.step()).isNull();
        rank.assertEmpty();
        assertThat(rank.counter("radix_cache_tokens")).isEqualTo(20);
    }

    @Test
    void shouldEndARetractedRequestThroughItsDetokenizer() {
        config.maxTotalTokens = 40;
        config.scheduleConservativeness = 0;
        config.clipMaxNewTokens = 1;
        TestRank rank = new TestRank(config);
        rank.request("a", prompt(1, 8), 20);
        rank.request("b", prompt(2, 9), 20);
        while (rank.counter("retracted_reqs") == 0) {
            assertThat(rank.step()).isNotNull();
        }
        rank.abort("b");
        assertThat(rank.reply("b").reason).isEqualTo(ABORTED);
        assertThat(rank.reply("b").abort).isNull();
        assertThat(rank.reply("b").ids)
                .isEqualTo(Arrays.copyOf(expected(prompt(2, 9), 20), rank.reply("b").ids.length))
                .isNotEmpty();
        rank.runUntilIdle();
        rank.assertEmpty();
    }

    @Test
    void shouldEndEverythingOnAbortAll() {
        config.maxRunningRequests = 2;
        TestRank rank = new TestRank(config);
        for (int i = 1; i <= 4; i++) {
            rank.request("r" + i, prompt(i, 3), 9);
        }
        rank.step();
        rank.send(new AbortReq("", TestRank.WORKER, true, null, null));
        rank.runUntilIdle();
        assertThat(rank.reply("r1").reason).isEqualTo(ABORTED);
        assertThat(rank.reply("r2").reason).isEqualTo(ABORTED);
        assertThat(rank.reply("r3").abort).isNotNull();
        assertThat(rank.reply("r4").abort).isNotNull();
        rank.assertEmpty();
        assertThat(rank.counter("aborted_reqs")).isEqualTo(4);
    }

    @Test
    void shouldMatchTheExactWireRidOnly() {
        TestRank rank = new TestRank(config);
        rank.request("req-10", prompt(1, 3), 4);
        rank.abort("req-1");
        rank.abort("req-10x");
        rank.runUntilIdle();
        assertThat(rank.reply("req-10").ids).hasSize(4);
        assertThat(rank.counter("unknown_aborts")).isEqualTo(2);
        rank.abort("req-10");
        assertThat(rank.counter("unknown_aborts")).isEqualTo(3);
        assertThat(rank.counter("aborted_reqs")).isZero();
    }

    @Test
    void shouldCountARepeatedAbortOnce() {
        TestRank rank = new TestRank(config);
        rank.request("a", prompt(1, 3), 40);
        rank.step();
        rank.abort("a");
        rank.abort("a");
        rank.runUntilIdle();
        assertThat(rank.reply("a").reason).isEqualTo(ABORTED);
        assertThat(rank.counter("aborted_reqs")).isEqualTo(1);
    }

    @Test
    void shouldDropADuplicateRid() {
        TestRank rank = new TestRank(config);
        rank.request("a", prompt(1, 3), 4);
        rank.request("a", prompt(2, 3), 9);
        rank.runUntilIdle();
        assertThat(rank.reply("a").ids).isEqualTo(expected(prompt(1, 3), 4));
        assertThat(rank.counter("duplicate_rids")).isEqualTo(1);
        assertThat(rank.warnings).singleElement().asString().startsWith("duplicate_rid");
        assertThat(rank.lastReport().receivedReqs()).isEqualTo(1);
        rank.assertEmpty();
    }

    @Test
    void shouldForgetEverythingSilentlyWhenFenced() {
        config.maxRunningRequests = 1;
        config.chunkedPrefillSize = 10;
        TestRank rank = new TestRank(config);
        rank.request("a", prompt(1, 25), 9);
        rank.request("b", prompt(2, 5), 9);
        rank.step();
        int said = rank.parts.size() + rank.answers.size();
        rank.scheduler.abandonAll();
        rank.scheduler.restart(78);
        assertThat(rank.parts.size() + rank.answers.size()).isEqualTo(said);
        assertThat(rank.scheduler.heldRids()).isEmpty();
        assertThat(rank.step()).isNull();
        assertThat(rank.counter("self_check_failures")).isZero();
        assertThat(rank.scheduler.load(rank.nowNs, 0).receivedReqs()).isZero();
        assertThat(rank.scheduler.load(rank.nowNs, 0).incarnation()).isEqualTo(78);
        rank.scheduler
                .tables()
                .forEach((name, size) -> assertThat(size).as(name).isEqualTo(0L));
    }
}
