package dpserve.scheduler;

import static dpserve.scheduler.TestRank.expected;
import static dpserve.scheduler.TestRank.prompt;
import static org.assertj.core.api.Assertions.assertThat;

import dpserve.io.message.FinishReason;
import dpserve.io.message.TokenizedGenerateReqInput;
import org.junit.jupiter.api.Test;

class RetractionTest {
    private final TestConfig config = new TestConfig();

    /** Reserves nothing for outputs, so that the pool runs out. */
    private TestRank rank(int maxTotalTokens) {
        config.maxTotalTokens = maxTotalTokens;
        config.scheduleConservativeness = 0;
        config.clipMaxNewTokens = 1;
        return new TestRank(config);
    }

    @Test
    void shouldRetractLeastOutputFirstAndLetItContinueExactly() {
        TestRank rank = rank(40);
        rank.request("old", prompt(1, 8), 20);
        for (int i = 0; i < 5; i++) {
            rank.step();
        }
        rank.request("new", prompt(2, 8), 20);
        while (rank.counter("retracted_reqs") == 0) {
            assertThat(rank.step()).isNotNull();
        }
        // 8 + 8 prompt tokens; with m tokens of output one holds 7 + m slots. The pool was full before the newer one
        // fell.
        assertThat(rank.lines.get(rank.lines.size() - 1))
                .startsWith("DP2 KV cache pool is full. Retract requests. #retracted_reqs: 1, #new_tokens_gained: ")
                .contains("#new_token_ratio: 0.0000 -> ");
        assertThat(rank.table("waiting_queue")).isEqualTo(1);
        assertThat(rank.table("running")).isEqualTo(1);
        rank.runUntilIdle();
        assertThat(rank.reply("new").retractions).isPositive();
        assertThat(rank.reply("old").retractions).isZero();
        assertThat(rank.reply("old").ids).isEqualTo(expected(prompt(1, 8), 20));
        assertThat(rank.reply("new").ids).isEqualTo(expected(prompt(2, 8), 20));
        assertThat(rank.lastReport().numRetracted()).isEqualTo(rank.counter("retracted_reqs"));
        rank.assertEmpty();
    }

    @Test
    void shouldRetractTheLongerInputAmongEqualOutputs() {
        TestRank rank = rank(40);
        rank.request("long", prompt(1, 12), 20);
        rank.request("short", prompt(2, 6), 20);
        rank.runUntilIdle();
        assertThat(rank.reply("long").retractions).isPositive();
        assertThat(rank.reply("short").retractions).isZero();
        assertThat(rank.reply("long").ids).isEqualTo(expected(prompt(1, 12), 20));
        rank.assertEmpty();
    }

    @Test
    void shouldQueueARetractedRequestBehindThoseThatWait() {
        config.maxRunningRequests = 2;
        TestRank rank = rank(40);
        rank.request("a", prompt(1, 8), 20);
        rank.request("b", prompt(2, 9), 20);
        rank.step();
        rank.request("c", prompt(3, 3), 2);
        while (rank.reply("c").emissions == 0) {
            assertThat(rank.step()).isNotNull();
        }
        assertThat(rank.counter("retracted_reqs")).isEqualTo(1);
        assertThat(rank.reply("b").retractions).isZero();
        rank.runUntilIdle();
        assertThat(rank.reply("b").retractions).isEqualTo(1);
        rank.assertEmpty();
    }

    @Test
    void shouldNotCacheTheOutputOfARetractedRequest() {
        config.maxTotalTokens = 40;
        SchedulerConfig c = config.build();
        KvPool pool = new KvPool(c.maxTotalTokens(), true);
        Request r =
                new Request(TokenizedGenerateReqInput.of("r", null, prompt(1, 5), Params.tokens(10), true), 10, 1, 0);
        pool.lockPrefix(r);
        pool.allocate(r, 5);
        pool.share(r);
        r.append(1, null);
        pool.allocate(r, 1);
        assertThat(pool.used()).isEqualTo(6);
        pool.drop(r);
        assertThat(pool.used()).isZero();
        assertThat(pool.cachedTokens()).isEqualTo(5);
        assertThat(pool.isWholeWhenIdle()).isTrue();
    }

    @Test
    void shouldFinishAChunkedPromptHoweverLittleRoomIsLeft() {
        config.chunkedPrefillSize = 10;
        TestRank rank = rank(64);
        rank.request("a", prompt(1, 6), 50);
        for (int i = 0; i < 30; i++) {
            rank.step();
        }
        assertThat(rank.table("kv_tokens")).isEqualTo(35);
        rank.request("b", prompt(2, 26), 8);
        rank.runUntilIdle();
        assertThat(rank.counter("retracted_reqs")).isPositive();
        assertThat(rank.reply("a").ids).isEqualTo(expected(prompt(1, 6), 50));
        assertThat(rank.reply("b").ids).isEqualTo(expected(prompt(2, 26), 8));
        rank.assertEmpty();
    }

    @Test
    void shouldEndARetractedRequestThatWasToBeAborted() {
        TestRank rank = rank(40);
        rank.request("a", prompt(1, 8), 20);
        rank.request("b", prompt(2, 9), 20);
        while (rank.table("kv_tokens") + 2 <= 40) {
            assertThat(rank.step()).isNotNull();
        }
        int made = rank.reply("b").ids.length;
        rank.abort("b");
        rank.step();
        assertThat(rank.reply("b").reason).isEqualTo(new FinishReason.Abort("Aborted", null, null));
        assertThat(rank.reply("b").ids).hasSize(made);
        rank.runUntilIdle();
        rank.assertEmpty();
    }
}
