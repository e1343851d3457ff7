package dpserve.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.io.DisaggregationMode;
import dpserve.io.message.AbortReq;
import dpserve.io.message.FinishReason;
import dpserve.io.message.KvBlocks;
import dpserve.io.message.KvFailed;
import dpserve.io.message.KvReceived;
import dpserve.io.message.KvRouteReq;
import dpserve.io.message.Message;
import java.util.Random;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A prefill rank and a decode rank in virtual time, with a bootstrap server and links that may lose what they carry. */
class DisaggregationTest {
    private final PairedRanks pair = new PairedRanks();

    @Test
    void shouldDecodeFromTheKvThatAnotherRankComputed() {
        int[] prompt = TestRank.prompt(1, 300);
        pair.request("a", 7, prompt, Params.tokens(20));
        pair.runUntilIdle();
        assertThat(pair.decode.reply("a").ids).isEqualTo(TestRank.expected(prompt, 20));
        assertThat(pair.prefill.reply("a").ids).isEqualTo(TestRank.expected(prompt, 1));
        assertThat(pair.prefill.reply("a").reason).isEqualTo(new FinishReason.Length(1));
        assertThat(pair.decode.counter("prefill_batches")).isZero();
        assertThat(pair.decode.counter("kv_transferred_tokens")).isEqualTo(300);
        pair.assertEmpty();
    }

    @Test
    void shouldTakeTheModelledTimeOfTheTransfer() {
        pair.request("a", 7, TestRank.prompt(1, 4000), Params.tokens(1));
        pair.runUntilIdle();
        long atLeastNs = Math.round(4000.0 * PairedRanks.KV_BYTES * 8 / PairedRanks.GBPS);
        long prefillNs = pair.prefill.batches.size() == 1
                ? EngineProfile.defaultProfile().durationNs(pair.prefill.batches.get(0))
                : -1;
        assertThat(pair.nowNs() - PairedRanks.START_NS)
                .isBetween(prefillNs + atLeastNs, prefillNs + atLeastNs + 2_000_000);
    }

    @Test
    void shouldEndWithTheFirstTokenIfThatIsTheLast() {
        pair.request("one", 1, TestRank.prompt(1, 10), Params.tokens(1));
        pair.request("none", 2, TestRank.prompt(2, 10), Params.tokens(0));
        pair.runUntilIdle();
        assertThat(pair.decode.reply("one").ids).isEqualTo(TestRank.expected(TestRank.prompt(1, 10), 1));
        assertThat(pair.decode.reply("none").ids).isEmpty();
        assertThat(pair.decode.reply("none").reason).isEqualTo(new FinishReason.Length(0));
        pair.assertEmpty();
    }

    @Test
    void shouldRefuseARequestWithoutARoomOrWithOneInUse() {
        pair.prefill.request("a", TestRank.prompt(1, 10), 5);
        pair.decode.request("b", TestRank.prompt(1, 10), 5);
        assertThat(pair.prefill.reply("a").abort.finishedReason())
                .isInstanceOfSatisfying(
                        FinishReason.Abort.class,
                        abort -> assertThat(abort.statusCode()).isEqualTo(400));
        assertThat(pair.decode.reply("b").abort.abortMessage()).contains("bootstrap_room");
        pair.request("c", 7, TestRank.prompt(1, 10), Params.tokens(5));
        pair.request("d", 7, TestRank.prompt(2, 10), Params.tokens(5));
        assertThat(pair.prefill.reply("d").abort.abortMessage()).contains("in use");
        pair.runUntilIdle();
        pair.assertEmpty();
    }

    @Test
    void shouldConnectToNoBootstrapServerThatAClientMadeUp() {
        pair.onlyTo(pair.decode, "a", 7, TestRank.prompt(1, 10), Params.tokens(5), 22);
        assertThat(pair.sent(KvRouteReq.class)).isZero();
        assertThat(pair.decode.reply("a").abort.abortMessage()).contains("--disaggregation-bootstrap-servers");
        pair.runUntilIdle();
        pair.assertEmpty();
    }

    @Test
    void shouldKeepAHealthProbeUntilATransferLeavesItASlot() {
        PairedRanks one = new PairedRanks(config -> config.maxRunningRequests = 1);
        one.lose(KvBlocks.class::isInstance);
        one.request("a", 7, TestRank.prompt(1, 10), Params.tokens(5));
        for (int i = 0; i < 5; i++) {
            one.turn();
        }
        assertThat(one.decode.table("decode_transfer_queue")).isEqualTo(1);
        one.decode.request("HEALTH_CHECK_1", TestRank.prompt(2, 1), 1);
        one.turn();
        assertThat(one.decode.table("health_probes")).isEqualTo(1);
        one.lose(m -> false);
        one.runUntilIdle();
        assertThat(one.decode.reply("a").ids).isEqualTo(TestRank.expected(TestRank.prompt(1, 10), 5));
        one.assertEmpty();
    }

    @Test
    void shouldNotWaitForAPrefillRankThatHasForgottenTheRequest() {
        pair.lose(KvBlocks.class::isInstance);
        pair.request("a", 7, TestRank.prompt(1, 10), Params.tokens(5));
        for (int i = 0; i < 5; i++) {
            pair.turn();
        }
        assertThat(pair.decode.table("decode_transfer_queue")).isEqualTo(1);
        pair.prefill.scheduler.abandonAll();
        pair.runUntilIdle();
        assertEndedWithin3s("the prefill rank has this request no more");
    }

    @Test
    void shouldHearThatThePrefillHalfWasAbortedThoughTheWordOfItWasLost() {
        pair.lose(m -> m instanceof KvBlocks || m instanceof KvFailed);
        pair.request("a", 7, TestRank.prompt(1, 10), Params.tokens(5));
        for (int i = 0; i < 5; i++) {
            pair.turn();
        }
        pair.prefill.abort("a");
        pair.lose(m -> false);
        pair.runUntilIdle();
        assertEndedWithin3s("the prefill rank has this request no more");
    }

    private void assertEndedWithin3s(String why) {
        assertThat(((FinishReason.Abort) pair.decode.reply("a").abort.finishedReason()).statusCode())
                .isEqualTo(503);
        assertThat(pair.decode.reply("a").abort.abortMessage()).isEqualTo(why);
        assertThat(pair.nowNs() - PairedRanks.START_NS).isLessThan(3_000_000_000L);
        pair.assertEmpty();
    }

    @Test
    void shouldCountWhatWaitsInItsOwnQueues() {
        pair.onlyTo(pair.decode, "a", 7, TestRank.prompt(1, 100), Params.tokens(5));
        assertThat(pair.decode.scheduler.load(pair.nowNs(), 0).numWaitingReqs()).isEqualTo(1);
        assertThat(pair.decode.scheduler.load(pair.nowNs(), 0).numTokens()).isEqualTo(100);
        pair.onlyTo(pair.prefill, "b", 8, TestRank.prompt(1, 50), Params.tokens(5));
        assertThat(pair.prefill.scheduler.load(pair.nowNs(), 0).numWaitingReqs())
                .isEqualTo(1);
        assertThat(pair.prefill.scheduler.load(pair.nowNs(), 0).numTokens()).isEqualTo(50);
    }

    @Test
    void shouldGiveUpWhenTheOtherHalfStaysAway() {
        pair.onlyTo(pair.decode, "a", 7, TestRank.prompt(1, 100), Params.tokens(5));
        pair.onlyTo(pair.prefill, "b", 8, TestRank.prompt(1, 50), Params.tokens(5));
        pair.runUntilIdle();
        assertThat(((FinishReason.Abort) pair.decode.reply("a").abort.finishedReason()).statusCode())
                .isEqualTo(503);
        assertThat(((FinishReason.Abort) pair.prefill.reply("b").abort.finishedReason()).statusCode())
                .isEqualTo(503);
        pair.assertEmpty();
    }

    @Test
    void shouldEndBothHalvesWhenOneIsAborted() {
        pair.request("a", 7, TestRank.prompt(1, 2000), Params.tokens(500));
        pair.deliverAll();
        pair.prefill.step();
        pair.decode.send(AbortReq.of("a", TestRank.WORKER));
        pair.runUntilIdle();
        assertThat(pair.decode.reply("a").isEnded()).isTrue();
        assertThat(pair.prefill.reply("a").isEnded()).isTrue();
        pair.request("b", 8, TestRank.prompt(1, 2000), Params.tokens(500));
        pair.prefill.send(AbortReq.of("b", TestRank.WORKER));
        pair.runUntilIdle();
        pair.assertEmpty();
    }

    @Test
    void shouldNoticeKvThatIsNotOfThisPrompt() {
        pair.change(KvBlocks.class, b -> {
            b.bytes()[8]++;
            return b;
        });
        pair.request("a", 7, TestRank.prompt(1, 100), Params.tokens(5));
        pair.runUntilIdle();
        assertThat(pair.decode.counter("kv_mismatches")).isEqualTo(1);
        assertThat(pair.decode.reply("a").ids).isEmpty();
        pair.assertEmpty();
    }

    @Test
    void shouldSendAgainWhatWasLost() {
        Predicate<Message> firstOfEach = PairedRanks.firstOfEachKind();
        pair.lose(firstOfEach);
        int[] prompt = TestRank.prompt(1, 5000); // two pieces
        pair.request("a", 7, prompt, Params.tokens(50));
        pair.runUntilIdle();
        assertThat(pair.decode.reply("a").ids).isEqualTo(TestRank.expected(prompt, 50));
        assertThat(pair.sent(KvReceived.class)).isGreaterThan(1);
        pair.assertEmpty();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void shouldLoseNothingUnderPressureAndLoss(long seed) {
        Random random = new Random(seed);
        PairedRanks small = new PairedRanks(config -> config.maxTotalTokens = 3000);
        small.lose(m -> random.nextInt(10) == 0);
        int n = 60;
        int[][] prompts = new int[n][];
        int[] lengths = new int[n];
        for (int i = 0; i < n; i++) {
            prompts[i] = TestRank.prompt(i + 1, 1 + random.nextInt(300));
            lengths[i] = 1 + random.nextInt(900);
            small.request("r" + i, 100 + i, prompts[i], Params.tokens(lengths[i]));
            for (int k = random.nextInt(4); k > 0; k--) {
                small.turn();
            }
        }
        small.runUntilIdle();
        for (int i = 0; i < n; i++) {
            assertThat(small.decode.reply("r" + i).ids)
                    .as("r" + i)
                    .isEqualTo(TestRank.expected(prompts[i], lengths[i]));
        }
        assertThat(small.decode.counter("retracted_reqs")).isPositive();
        small.assertEmpty();
    }

    @Test
    void shouldShowItsQueuesInTheLog() {
        pair.request("a", 7, TestRank.prompt(1, 100), Params.tokens(60));
        pair.runUntilIdle();
        assertThat(pair.decode.lines)
                .anyMatch(
                        line -> line.contains(
                                "pre-allocated usage: 0.00, #prealloc-req: 0, #transfer-req: 0, #retracted-req: 0, cuda graph"));
        assertThat(pair.prefill.lines).anyMatch(line -> line.contains("#unbootstrapped-req: 0, #inflight-req: 0"));
    }

    @Test
    void shouldBeTheRightHalf() {
        assertThat(pair.prefill.scheduler.tables()).containsKey("prefill_inflight_queue");
        assertThat(pair.decode.scheduler.tables()).containsKey("decode_transfer_queue");
        assertThat(DisaggregationMode.parse("decode")).isEqualTo(DisaggregationMode.DECODE);
    }
}
