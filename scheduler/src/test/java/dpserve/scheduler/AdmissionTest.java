package dpserve.scheduler;

import static dpserve.scheduler.TestRank.expected;
import static dpserve.scheduler.TestRank.prompt;
import static org.assertj.core.api.Assertions.assertThat;

import dpserve.io.message.FinishReason;
import dpserve.io.message.TokenizedGenerateReqInput;
import org.junit.jupiter.api.Test;

class AdmissionTest {
    private final TestConfig config = new TestConfig();

    private TestRank rank() {
        return new TestRank(config);
    }

    @Test
    void shouldPrefillBeforeItDecodesAndDecodeAllThatRun() {
        TestRank rank = rank();
        rank.request("a", prompt(1, 3), 5);
        assertThat(rank.describeStep()).isEqualTo("PREFILL a[0,3)");
        assertThat(rank.describeStep()).isEqualTo("DECODE a[3,4)");
        rank.request("b", prompt(2, 4), 5);
        assertThat(rank.describeStep()).isEqualTo("PREFILL b[0,4)");
        assertThat(rank.describeStep()).isEqualTo("DECODE a[4,5) b[4,5)");
        rank.runUntilIdle();
        assertThat(rank.reply("a").ids).isEqualTo(expected(prompt(1, 3), 5));
        assertThat(rank.reply("b").ids).isEqualTo(expected(prompt(2, 4), 5));
        assertThat(rank.reply("b").reason).isEqualTo(new FinishReason.Length(5));
        rank.assertEmpty();
    }

    @Test
    void shouldFillAPrefillBatchUpToItsTokens() {
        config.maxPrefillTokens = 10;
        TestRank rank = rank();
        for (int i = 1; i <= 4; i++) {
            rank.request("r" + i, prompt(i, 4), 3);
        }
        assertThat(rank.describeStep()).isEqualTo("PREFILL r1[0,4) r2[0,4)");
        assertThat(rank.describeStep()).isEqualTo("PREFILL r3[0,4) r4[0,4)");
    }

    @Test
    void shouldPrefillALongPromptAlone() {
        config.maxPrefillTokens = 10;
        TestRank rank = rank();
        rank.request("a", prompt(1, 25), 3);
        rank.request("b", prompt(2, 2), 3);
        assertThat(rank.describeStep()).isEqualTo("PREFILL a[0,25)");
        assertThat(rank.describeStep()).isEqualTo("PREFILL b[0,2)");
    }

    @Test
    void shouldPrefillInChunksWithOneChunkedRequest() {
        config.chunkedPrefillSize = 10;
        TestRank rank = rank();
        rank.request("a", prompt(1, 4), 3);
        rank.request("b", prompt(2, 18), 3);
        rank.request("c", prompt(3, 9), 3);
        assertThat(rank.describeStep()).isEqualTo("PREFILL a[0,4) b[0,6)");
        assertThat(rank.table("chunked")).isEqualTo(1);
        assertThat(rank.describeStep()).isEqualTo("PREFILL b[6,16)");
        assertThat(rank.describeStep()).isEqualTo("PREFILL b[16,18) c[0,8)");
        assertThat(rank.describeStep()).isEqualTo("PREFILL c[8,9)");
        assertThat(rank.describeStep()).startsWith("DECODE a[4,5) b[18,19) c[9,10)");
        rank.runUntilIdle();
        assertThat(rank.reply("b").ids).isEqualTo(expected(prompt(2, 18), 3));
        rank.assertEmpty();
    }

    @Test
    void shouldReportDuringALongChunkedPrefill() {
        config.chunkedPrefillSize = 10;
        TestRank rank = rank();
        rank.request("a", prompt(1, 35), 3);
        rank.step();
        assertThat(rank.parts).hasSize(1);
        assertThat(rank.parts.get(0).size()).isZero();
        assertThat(rank.lastReport().numReqs()).isEqualTo(1);
        assertThat(rank.lastReport().numUsedTokens()).isEqualTo(10);
    }

    @Test
    void shouldKeepRoomForTheOutputOfRunningRequests() {
        config.maxTotalTokens = 100;
        TestRank rank = rank();
        rank.request("a", prompt(1, 20), 50);
        rank.step();
        // 80 free less 0.7 x 49 reserved is 45.7: a request of 46 slots in all does not fit, one of 45 does.
        rank.request("big", prompt(2, 20), 25);
        assertThat(rank.describeStep()).startsWith("DECODE a");
        rank.abort("big");
        rank.runUntilIdle();

        rank.request("c", prompt(3, 20), 50);
        rank.step();
        rank.request("fits", prompt(4, 20), 24);
        assertThat(rank.describeStep()).isEqualTo("PREFILL fits[0,20)");
    }

    @Test
    void shouldNotLetALaterRequestOvertakeOneThatDoesNotFit() {
        config.maxTotalTokens = 100;
        TestRank rank = rank();
        rank.request("a", prompt(1, 30), 30);
        rank.step();
        rank.request("big", prompt(2, 60), 30);
        rank.request("small", prompt(3, 1), 1);
        assertThat(rank.describeStep()).startsWith("DECODE a");
        assertThat(rank.lastReport().numWaitingReqs()).isEqualTo(2);
        rank.runUntilIdle();
        assertThat(rank.reply("big").ids).isEqualTo(expected(prompt(2, 60), 30));
        rank.assertEmpty();
    }

    @Test
    void shouldCountAtMostTheClipOfAnOutputAtAdmission() {
        config.maxTotalTokens = 200;
        config.clipMaxNewTokens = 10;
        TestRank rank = rank();
        rank.request("a", prompt(1, 10), 150);
        rank.request("b", prompt(2, 10), 150);
        assertThat(rank.describeStep()).isEqualTo("PREFILL a[0,10) b[0,10)");
    }

    @Test
    void shouldRunNoMoreThanMaxRunningRequests() {
        config.maxRunningRequests = 2;
        TestRank rank = rank();
        for (int i = 1; i <= 3; i++) {
            rank.request("r" + i, prompt(i, 2), 2);
        }
        assertThat(rank.describeStep()).isEqualTo("PREFILL r1[0,2) r2[0,2)");
        assertThat(rank.describeStep()).isEqualTo("DECODE r1[2,3) r2[2,3)");
        assertThat(rank.describeStep()).isEqualTo("PREFILL r3[0,2)");
    }

    @Test
    void shouldReuseCachedPrefixesButAlwaysComputeTheLastToken() {
        TestRank rank = rank();
        rank.request("a", prompt(1, 8), 4);
        rank.runUntilIdle();
        rank.request("b", prompt(1, 8), 4);
        assertThat(rank.describeStep()).isEqualTo("PREFILL b[7,8)");
        rank.runUntilIdle();
        assertThat(rank.reply("a").cachedTokens).isZero();
        assertThat(rank.reply("b").cachedTokens).isEqualTo(7);
        assertThat(rank.reply("b").ids).isEqualTo(rank.reply("a").ids);

        // Prompt and output of an ended request are cached, but for its last token, whose KV was never computed.
        int[] next = new int[13];
        System.arraycopy(prompt(1, 8), 0, next, 0, 8);
        System.arraycopy(expected(prompt(1, 8), 4), 0, next, 8, 4);
        next[12] = 5;
        rank.request("c", next, 1);
        assertThat(rank.describeStep()).isEqualTo("PREFILL c[11,13)");
    }

    @Test
    void shouldShareAPromptWhileItsFirstRequestStillRuns() {
        TestRank rank = rank();
        rank.request("a", prompt(1, 8), 40);
        rank.step();
        rank.request("b", prompt(1, 8), 4);
        assertThat(rank.describeStep()).isEqualTo("PREFILL b[7,8)");
    }

    @Test
    void shouldKeepNothingWithTheCacheDisabledAndNamespacesApart() {
        config.disableRadixCache = true;
        TestRank rank = rank();
        rank.request("a", prompt(1, 8), 4);
        rank.runUntilIdle();
        rank.request("b", prompt(1, 8), 4);
        assertThat(rank.describeStep()).isEqualTo("PREFILL b[0,8)");
        assertThat(rank.counter("radix_cache_tokens")).isZero();

        config.disableRadixCache = false;
        TestRank other = rank();
        other.send(withExtraKey("x"));
        other.runUntilIdle();
        other.send(withExtraKey("y"));
        assertThat(other.describeStep()).isEqualTo("PREFILL y[0,8)");
    }

    private static TokenizedGenerateReqInput withExtraKey(String extraKey) {
        return new TokenizedGenerateReqInput(
                extraKey,
                TestRank.WORKER,
                null,
                prompt(1, 8),
                Params.tokens(2),
                false,
                -1,
                0,
                true,
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                extraKey,
                0,
                0.0);
    }

    @Test
    void shouldAdmitTheLongestCachedPrefixFirstWithLpm() {
        config.schedulePolicy = SchedulePolicy.LPM;
        config.maxRunningRequests = 1;
        TestRank rank = rank();
        rank.request("warm", prompt(1, 60), 1);
        rank.runUntilIdle();
        rank.request("none", prompt(2, 60), 1);
        rank.request("half", prompt(1, 40), 1);
        rank.request("most", prompt(1, 59), 1);
        assertThat(rank.describeStep()).startsWith("PREFILL most");
        assertThat(rank.describeStep()).startsWith("PREFILL half");
        assertThat(rank.describeStep()).startsWith("PREFILL none");
    }

    @Test
    void shouldLetTheFirstOfASharedPrefixGoAheadWithLpm() {
        config.schedulePolicy = SchedulePolicy.LPM;
        config.maxRunningRequests = 2;
        TestRank rank = rank();
        rank.request("first", prompt(1, 50), 1);
        rank.request("second", prompt(1, 51), 1);
        rank.request("other", prompt(2, 50), 1);
        assertThat(rank.describeStep()).isEqualTo("PREFILL first[0,50) other[0,50)");
        assertThat(rank.describeStep()).isEqualTo("PREFILL second[50,51)");
    }

    @Test
    void shouldFallBackToFcfsAboveTheMatchingLimit() {
        config.schedulePolicy = SchedulePolicy.LPM;
        config.maxRunningRequests = 1;
        TestRank rank = rank();
        rank.request("warm", prompt(1, 60), 1);
        rank.runUntilIdle();
        for (int i = 0; i < WaitingQueue.MAX_MATCHED; i++) {
            rank.request("r" + i, prompt(2 + i, 3), 1);
        }
        rank.request("cached", prompt(1, 60), 1);
        assertThat(rank.describeStep()).startsWith("PREFILL r0[");
        assertThat(rank.describeStep()).startsWith("PREFILL cached");
    }

    @Test
    void shouldRefuseWhatTheQueueDoesNotHold() {
        config.maxQueuedRequests = 2;
        TestRank rank = rank();
        for (int i = 1; i <= 3; i++) {
            rank.request("r" + i, prompt(i, 2), 2);
        }
        FinishReason.Abort reason = (FinishReason.Abort) rank.reply("r3").abort.finishedReason();
        assertThat(reason.statusCode()).isEqualTo(503);
        assertThat(reason.message()).isEqualTo("The request queue is full.");
        rank.runUntilIdle();
        assertThat(rank.reply("r2").reason).isNotNull();
        rank.assertEmpty();
        assertThat(rank.lastReport().receivedReqs()).isEqualTo(3);
    }

    @Test
    void shouldRefuseAnInputThatIsTooLongNamingLengthAndLimit() {
        config.contextLength = 50;
        TestRank rank = rank();
        rank.request("long", prompt(1, 45), 2);
        rank.request("longest", prompt(1, 44), 2);
        FinishReason.Abort reason =
                (FinishReason.Abort) rank.reply("long").abort.finishedReason();
        assertThat(reason.statusCode()).isEqualTo(400);
        assertThat(reason.message()).contains("45 tokens").contains("44 tokens");
        rank.runUntilIdle();
        assertThat(rank.reply("longest").ids).hasSize(2);
        rank.assertEmpty();
    }

    @Test
    void shouldRefuseAnEmptyInput() {
        TestRank rank = rank();
        rank.request("empty", new int[0], 2);
        assertThat(((FinishReason.Abort) rank.reply("empty").abort.finishedReason()).statusCode())
                .isEqualTo(400);
        rank.runUntilIdle();
        rank.assertEmpty();
    }

    @Test
    void shouldClipTheOutputToContextAndPool() {
        config.contextLength = 50;
        TestRank rank = rank();
        rank.request("context", prompt(1, 40), 1000);
        Params unlimited = new Params();
        unlimited.maxNewTokens = null;
        rank.request("unlimited", prompt(2, 10), unlimited.build());
        rank.runUntilIdle();
        assertThat(rank.reply("context").reason).isEqualTo(new FinishReason.Length(8));
        assertThat(rank.reply("unlimited").reason).isEqualTo(new FinishReason.Length(38));

        config.maxTotalTokens = 30;
        TestRank small = rank();
        small.request("pool", prompt(1, 20), 1000);
        small.runUntilIdle();
        assertThat(small.reply("pool").reason).isEqualTo(new FinishReason.Length(8));
        small.assertEmpty();
    }

    @Test
    void shouldProduceNothingWhereNothingIsWanted() {
        TestRank rank = rank();
        rank.request("a", prompt(1, 7), 0);
        rank.runUntilIdle();
        assertThat(rank.reply("a").ids).isEmpty();
        assertThat(rank.reply("a").reason).isEqualTo(new FinishReason.Length(0));
        rank.assertEmpty();
    }
}
