package dpserve.detokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.io.SimulatedModel;
import dpserve.io.message.FinishReason;
import dpserve.io.message.SamplingParams;
import dpserve.io.model.Vocabulary;
import dpserve.tokenizer.JtokkitVocabulary;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class ExpectedReplyTest {
    private static final SimulatedModel MODEL = SimulatedModel.create();
    private static final Vocabulary VOCABULARY = new JtokkitVocabulary();
    private static final int[] PROMPT = VOCABULARY.encode("Why is the sky blue?");

    @Test
    void shouldCutAtTheLength() {
        ExpectedReply reply = reply(params(20, 0, true, false));

        assertThat(reply.outputIds()).hasSize(20);
        assertThat(reply.finishReason()).isEqualTo(new FinishReason.Length(20));
        assertThat(reply.text()).isEqualTo(WholeText.decode(VOCABULARY, reply.outputIds(), true));
    }

    @Test
    void shouldEndWithEosAndNotShowIt() {
        ExpectedReply reply = reply(params(5000, 0, false, false));
        int last = reply.outputIds().length - 1;

        assertThat(reply.finishReason()).isEqualTo(new FinishReason.StopToken(MODEL.eosTokenId()));
        assertThat(reply.outputIds()[last]).isEqualTo(MODEL.eosTokenId());
        assertThat(reply.text()).isEqualTo(WholeText.decode(VOCABULARY, Arrays.copyOf(reply.outputIds(), last), false));
    }

    @Test
    void shouldEndWithAStopTokenOnceTheMinimumIsReached() {
        int stop = reply(params(20, 0, true, false)).outputIds()[7];

        assertThat(reply(params(20, 0, false, false, stop)).outputIds()).hasSize(8);
        assertThat(reply(params(20, 0, false, false, stop)).finishReason()).isEqualTo(new FinishReason.StopToken(stop));
        assertThat(reply(params(20, 7, false, false, stop)).outputIds()).hasSize(8);
        assertThat(reply(params(20, 8, false, false, stop)).outputIds()).hasSizeGreaterThan(8);
        assertThat(reply(params(20, 0, true, false, stop)).outputIds())
                .as("EOS alone is ignored")
                .hasSize(8);
    }

    @Test
    void shouldCutAtAStopStringInsideOrAcrossTokens() {
        String whole = reply(params(100, 0, true, false)).text();
        String stop = whole.substring(150, 160);
        ExpectedReply reply = reply(withStops(params(100, 0, true, false), "", "never", stop));

        assertThat(reply.finishReason()).isEqualTo(new FinishReason.StopString(stop));
        assertThat(reply.text()).isEqualTo(whole.substring(0, whole.indexOf(stop)));
        assertThat(WholeText.decode(VOCABULARY, reply.outputIds(), true)).contains(stop);

        ExpectedReply untrimmed = reply(withStops(params(100, 0, true, true), stop));
        assertThat(untrimmed.text()).startsWith(reply.text() + stop);
        assertThat(untrimmed.outputIds()).containsExactly(reply.outputIds());
    }

    @Test
    void shouldBeWhatTheDetokenizerSaysHoweverTheOutputIsCut() {
        for (int length = 1; length < 200; length += 7) {
            int[] prompt = VOCABULARY.encode("prompt " + length + " 🙂".substring(0, 1 + length % 2));
            ExpectedReply reply = ExpectedReply.of(MODEL, VOCABULARY, prompt, params(length, 0, false, false));
            Detokenizer detokenizer = new Detokenizer(VOCABULARY, 1, (kind, detail) -> {});
            int half = reply.outputIds().length / 2;
            int[] first = Arrays.copyOf(reply.outputIds(), half);
            int[] rest = Arrays.copyOfRange(reply.outputIds(), half, reply.outputIds().length);
            TokenOutputs.Row begin = TokenOutputs.Row.first("r", prompt, first);
            TokenOutputs.Row end =
                    TokenOutputs.Row.later("r", reply.outputIds().length, rest).finished(reply.finishReason());

            assertThat(detokenizer.decode(TokenOutputs.of(begin))[0]
                            + detokenizer.decode(TokenOutputs.of(end))[0])
                    .isEqualTo(reply.text());
        }
    }

    private static ExpectedReply reply(SamplingParams params) {
        return ExpectedReply.of(MODEL, VOCABULARY, PROMPT, params);
    }

    private static SamplingParams params(int max, int min, boolean ignoreEos, boolean noStopTrim, int... stopIds) {
        SamplingParams p = SamplingParams.greedy(max);
        return new SamplingParams(
                max,
                stopIds,
                p.temperature(),
                p.topP(),
                p.topK(),
                p.minP(),
                p.frequencyPenalty(),
                p.presencePenalty(),
                p.repetitionPenalty(),
                min,
                p.n(),
                ignoreEos,
                p.skipSpecialTokens(),
                p.spacesBetweenSpecialTokens(),
                noStopTrim,
                null,
                null,
                null,
                List.of(),
                0);
    }

    private static SamplingParams withStops(SamplingParams p, String... stops) {
        return new SamplingParams(
                p.maxNewTokens(),
                p.stopTokenIds(),
                p.temperature(),
                p.topP(),
                p.topK(),
                p.minP(),
                p.frequencyPenalty(),
                p.presencePenalty(),
                p.repetitionPenalty(),
                p.minNewTokens(),
                p.n(),
                p.ignoreEos(),
                p.skipSpecialTokens(),
                p.spacesBetweenSpecialTokens(),
                p.noStopTrim(),
                null,
                null,
                null,
                List.of(stops),
                20);
    }
}
