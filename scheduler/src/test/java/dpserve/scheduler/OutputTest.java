package dpserve.scheduler;

import static dpserve.scheduler.TestRank.expected;
import static dpserve.scheduler.TestRank.prompt;
import static org.assertj.core.api.Assertions.assertThat;

import dpserve.io.message.BatchTokenIDOutput;
import dpserve.io.message.FinishReason;
import dpserve.io.message.SamplingParams;
import dpserve.io.message.TokenizedGenerateReqInput;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class OutputTest {
    private final TestConfig config = new TestConfig();

    private static int[] concat(int[] a, int[] b) {
        int[] both = Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, both, a.length, b.length);
        return both;
    }

    /** Output ids of each emission. */
    private static List<int[]> emissions(TestRank rank) {
        List<int[]> ids = new ArrayList<>();
        for (BatchTokenIDOutput part : rank.parts) {
            ids.addAll(Arrays.asList(part.outputIds()));
        }
        return ids;
    }

    private static List<Integer> emissionLengths(TestRank rank) {
        return emissions(rank).stream().map(ids -> ids.length).toList();
    }

    private static TokenizedGenerateReqInput unstreamed(String rid, int[] prompt, SamplingParams params) {
        return TokenizedGenerateReqInput.of(rid, TestRank.WORKER, prompt, params, false);
    }

    private static TokenizedGenerateReqInput resumed(String rid, int[] ids, SamplingParams params, int resumed) {
        return new TokenizedGenerateReqInput(
                rid,
                TestRank.WORKER,
                null,
                ids,
                params,
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
                null,
                resumed,
                0.0);
    }

    @Test
    void shouldBeginWithTheLastFivePromptTokensAndThenSendOnlyNewOnes() {
        TestRank rank = new TestRank(config);
        int[] prompt = prompt(1, 9);
        rank.request("a", prompt, 3);
        rank.runUntilIdle();
        int[] out = expected(prompt, 3);
        assertThat(rank.parts.get(0).decodeIds()[0])
                .isEqualTo(concat(Arrays.copyOfRange(prompt, 4, 9), new int[] {out[0]}));
        assertThat(rank.parts.get(0).readOffsets()[0]).isEqualTo(5);
        assertThat(rank.parts.get(0).outputIds()[0]).containsExactly(out[0]);
        assertThat(rank.parts.get(1).decodeIds()[0]).containsExactly(out[1]);
        assertThat(rank.parts.get(2).completionTokens()[0]).isEqualTo(3);
        assertThat(rank.parts.get(2).promptTokens()[0]).isEqualTo(9);
        assertThat(rank.parts.get(2).decodedTexts()[0]).isEmpty();
    }

    @Test
    void shouldBeginWithTheWholePromptIfItIsShort() {
        TestRank rank = new TestRank(config);
        rank.request("a", prompt(1, 2), 1);
        rank.runUntilIdle();
        assertThat(rank.parts.get(0).readOffsets()[0]).isEqualTo(2);
        assertThat(rank.parts.get(0).decodeIds()[0]).hasSize(3);
    }

    @Test
    void shouldKeepTheStreamIntervalOfServerAndRequest() {
        config.streamInterval = 4;
        TestRank rank = new TestRank(config);
        rank.request("a", prompt(1, 4), 11);
        rank.runUntilIdle();
        assertThat(emissionLengths(rank)).containsExactly(1, 4, 4, 2);

        Params own = new Params();
        own.maxNewTokens = 6;
        own.streamInterval = 2;
        TestRank other = new TestRank(config);
        other.request("a", prompt(1, 4), own.build());
        other.runUntilIdle();
        assertThat(emissionLengths(other)).containsExactly(1, 2, 2, 1);
    }

    @Test
    void shouldEmitUnstreamedRequestsEveryFiftyTokens() {
        TestRank rank = new TestRank(config);
        rank.send(unstreamed("a", prompt(1, 4), Params.tokens(120)));
        rank.runUntilIdle();
        assertThat(emissionLengths(rank)).containsExactly(50, 50, 20);
        assertThat(rank.reply("a").ids).isEqualTo(expected(prompt(1, 4), 120));
    }

    @Test
    void shouldEndAtAStopStringAcrossTokensAndHoldItsBeginningBack() {
        int[] prompt = prompt(3, 6);
        int[] out = expected(prompt, 40);
        String text = Expected.text(Arrays.copyOf(out, 12));
        // Begins in the last but second token and ends with the twelfth.
        int from = Expected.text(Arrays.copyOf(out, 9)).length() + 1;
        Params p = new Params();
        p.maxNewTokens = 40;
        p.stops = List.of(text.substring(from));
        Expected expected = Expected.of(prompt, p.build(), 40);
        TestRank rank = new TestRank(config);
        rank.request("a", prompt, p.build());
        rank.runUntilIdle();
        assertThat(rank.reply("a").ids).isEqualTo(expected.ids());
        assertThat(rank.reply("a").reason).isEqualTo(new FinishReason.StopString(text.substring(from)));
        // Nothing that belongs to the stop string left before its end was known.
        int sentBefore = 0;
        List<int[]> emissions = emissions(rank);
        for (int i = 0; i < emissions.size() - 1; i++) {
            sentBefore += emissions.get(i).length;
        }
        assertThat(Expected.text(Arrays.copyOf(out, sentBefore)).length()).isLessThanOrEqualTo(from);
        assertThat(emissions.get(emissions.size() - 1).length).isGreaterThan(1);
    }

    @Test
    void shouldHonourStopTokensOnlyAboveMinNewTokens() {
        int[] prompt = prompt(1, 6);
        int[] out = expected(prompt, 30);
        Params p = new Params();
        p.maxNewTokens = 30;
        p.stopTokenIds = new int[] {out[3]};
        TestRank rank = new TestRank(config);
        rank.request("a", prompt, p.build());
        rank.runUntilIdle();
        assertThat(rank.reply("a").reason).isEqualTo(new FinishReason.StopToken(out[3]));
        int first = rank.reply("a").ids.length;
        assertThat(first).isLessThanOrEqualTo(4);

        p.minNewTokens = first;
        rank.request("b", prompt, p.build());
        rank.runUntilIdle();
        assertThat(rank.reply("b").ids.length).isGreaterThan(first);
    }

    @Test
    void shouldPreferAStopStringToAStopTokenAndThatToTheLength() {
        int[] prompt = prompt(1, 6);
        int[] out = expected(prompt, 5);
        String last = Expected.text(new int[] {out[4]});
        assertThat(Expected.text(Arrays.copyOf(out, 4))).doesNotContain(last);
        Params p = new Params();
        p.maxNewTokens = 5;
        p.stops = List.of(last);
        p.stopTokenIds = new int[] {out[4]};
        TestRank rank = new TestRank(config);
        rank.request("all", prompt, p.build());
        p.stops = List.of();
        rank.request("token", prompt, p.build());
        p.stopTokenIds = new int[0];
        rank.request("length", prompt, p.build());
        rank.runUntilIdle();
        assertThat(rank.reply("all").reason).isEqualTo(new FinishReason.StopString(last));
        assertThat(rank.reply("token").reason).isEqualTo(new FinishReason.StopToken(out[4]));
        assertThat(rank.reply("length").reason).isEqualTo(new FinishReason.Length(5));
    }

    @Test
    void shouldEndWithEosUnlessItIsIgnored() {
        int seed = 1;
        while (Expected.MODEL.expectedOutput(prompt(seed, 5), 60, 0, false).length == 60) {
            seed++;
        }
        int[] prompt = prompt(seed, 5);
        int[] expected = Expected.MODEL.expectedOutput(prompt, 60, 0, false);
        Params p = new Params();
        p.maxNewTokens = 60;
        p.ignoreEos = false;
        TestRank rank = new TestRank(config);
        rank.request("eos", prompt, p.build());
        rank.request("ignored", prompt, 60);
        rank.runUntilIdle();
        assertThat(rank.reply("eos").ids).isEqualTo(expected);
        assertThat(rank.reply("eos").reason).isEqualTo(new FinishReason.StopToken(Expected.MODEL.eosTokenId()));
        assertThat(rank.reply("ignored").ids).hasSize(60);
    }

    @Test
    void shouldContinueAResumedRequestAsTheOriginalWouldHaveGoneOn() {
        int[] prompt = prompt(1, 9);
        int[] out = expected(prompt, 30);
        for (int done = 1; done < 30; done++) {
            TestRank rank = new TestRank(config);
            int[] ids = concat(prompt, Arrays.copyOf(out, done));
            rank.send(resumed("a", ids, Params.tokens(30).afterTokens(done), done));
            rank.runUntilIdle();
            TestRank.Reply reply = rank.reply("a");
            assertThat(concat(Arrays.copyOf(out, done), reply.ids)).isEqualTo(out);
            assertThat(reply.promptTokens).isEqualTo(9);
            assertThat(reply.readOffset).isEqualTo(5);
            assertThat(reply.decodeIds).isEqualTo(concat(Arrays.copyOfRange(prompt, 4, 9), out));
            assertThat(rank.parts.get(0).outputIds()[0]).hasSize(1);
            assertThat(rank.parts.get(0).completionTokens()[0]).isEqualTo(1);
        }
    }

    @Test
    void shouldFindAStopStringThatBeganBeforeTheAttempt() {
        int[] prompt = prompt(3, 6);
        int[] out = expected(prompt, 20);
        String text = Expected.text(Arrays.copyOf(out, 12));
        int from = Expected.text(Arrays.copyOf(out, 9)).length() + 1;
        Params p = new Params();
        p.maxNewTokens = 10;
        p.stops = List.of(text.substring(from));
        TestRank rank = new TestRank(config);
        rank.send(resumed("a", concat(prompt, Arrays.copyOf(out, 10)), p.build(), 10));
        rank.runUntilIdle();
        assertThat(rank.reply("a").reason).isEqualTo(new FinishReason.StopString(text.substring(from)));
        assertThat(rank.reply("a").ids).isEqualTo(Arrays.copyOfRange(out, 10, 12));
    }

    @Test
    void shouldRefuseAResumedRequestWithoutPrompt() {
        TestRank rank = new TestRank(config);
        rank.send(resumed("a", new int[] {1, 2}, Params.tokens(3), 2));
        rank.send(resumed("b", new int[] {1, 2}, Params.tokens(3), -1));
        assertThat(rank.reply("a").abort.abortMessage()).contains("resumed");
        assertThat(rank.reply("b").abort.abortMessage()).contains("resumed");
    }

    @Test
    void shouldSplitABatchOverDetokenizersWithTheLoadOnItsFirstPart() {
        config.detokenizers = 3;
        TestRank rank = new TestRank(config);
        for (int i = 0; i < 20; i++) {
            rank.request("r" + i, prompt(i, 4), 2);
        }
        rank.step();
        assertThat(rank.parts).hasSize(3);
        assertThat(rank.parts.stream().mapToInt(BatchTokenIDOutput::size).sum()).isEqualTo(20);
        assertThat(rank.parts.get(0).load()).isNotNull();
        assertThat(rank.parts.get(1).load()).isNull();
        assertThat(rank.parts.get(2).load()).isNull();
        rank.runUntilIdle();
        rank.assertEmpty();
    }
}
