package dpserve.detokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.detokenizer.TokenOutputs.Row;
import dpserve.io.WireRid;
import dpserve.io.message.BatchTokenIDOutput;
import dpserve.io.message.FinishReason;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class DetokenizerTest {
    private static final FinishReason LENGTH = new FinishReason.Length(9);
    private static final int[] NO_PROMPT = {};

    private final List<String> notices = new ArrayList<>();
    private final ByteVocabulary vocabulary = new ByteVocabulary();
    private final Detokenizer detokenizer = new Detokenizer(vocabulary, 3, (kind, detail) -> notices.add(kind));

    @Test
    void shouldHoldBackACharacterUntilItIsComplete() {
        assertThat(decode(Row.first("r", NO_PROMPT, 'a', 0xf0, 0x9f))).isEqualTo("a");
        assertThat(decode(Row.later("r", 4, 0x98))).isEmpty();
        assertThat(decode(Row.later("r", 6, 0x80, 'b'))).isEqualTo("😀b");
        assertThat(notices).isEmpty();
    }

    @Test
    void shouldShowAsReplacementWhatIsLeftWhenTheRequestEnds() {
        decode(Row.first("r", NO_PROMPT, 0xf0, 0x9f));

        assertThat(decode(Row.later("r", 3, 0x98).finished(LENGTH))).isEqualTo("\ufffd");
        assertThat(detokenizer.states()).isZero();
    }

    @Test
    void shouldKeepThePromptOutOfTheReply() {
        assertThat(decode(Row.first("r", ids("hi "), ids("you")))).isEqualTo("you");
        assertThat(decode(Row.later("r", 6, ids(" two")))).isEqualTo(" two");
    }

    @Test
    void shouldTakeACharacterThatBeganInThePromptForThePrompts() {
        assertThat(decode(Row.first("r", new int[] {'a', 0xc3}, 0xa9, 'b'))).isEqualTo("b");
        assertThat(decode(Row.first("s", new int[] {'a', 0xc3}, 'b'))).isEqualTo("b");
    }

    @Test
    void shouldLeaveOutSpecialTokensUnlessAskedToKeepThem() {
        int[] output = {'a', ByteVocabulary.END, 'b'};

        assertThat(decode(Row.first("r", NO_PROMPT, output).finished(LENGTH))).isEqualTo("ab");
        assertThat(decode(Row.first("r", NO_PROMPT, output).keepingSpecial().finished(LENGTH)))
                .isEqualTo("a<end>b");
    }

    @Test
    void shouldDropTheStopTokenUnlessAskedToKeepIt() {
        FinishReason stop = new FinishReason.StopToken('!');
        Row row = Row.first("r", NO_PROMPT, 'a', '!', '!').finished(stop);

        assertThat(decode(row)).isEqualTo("a!");
        assertThat(decode(row.notTrimmed())).isEqualTo("a!!");
        assertThat(decode(Row.first("r", ids("!")).finished(stop))).isEmpty();
    }

    @Test
    void shouldCutAtTheStopStringUnlessAskedToKeepIt() {
        Row row = Row.first("r", NO_PROMPT, ids("one\n\ntwo")).finished(new FinishReason.StopString("\n\n"));

        assertThat(decode(row)).isEqualTo("one");
        assertThat(decode(row.notTrimmed())).isEqualTo("one\n\ntwo");
    }

    @Test
    void shouldCutAtAStopStringThatCameInSeveralChunks() {
        // the scheduler holds back "ST", which might become the stop string, until it has
        decode(Row.first("r", NO_PROMPT, ids("text ")));

        assertThat(decode(Row.later("r", 10, ids("STOP more")).finished(new FinishReason.StopString("STOP"))))
                .isEmpty();

        // a scheduler that does not hold back: nothing after the match is shown
        decode(Row.first("s", NO_PROMPT, ids("text ST")));
        assertThat(decode(Row.later("s", 11, ids("OP more")).finished(new FinishReason.StopString("STOP"))))
                .isEmpty();
    }

    @Test
    void shouldNotCutAtAnEarlierOccurrenceThatWasGivenOut() {
        decode(Row.first("r", NO_PROMPT, ids("a STOP b ")));

        assertThat(decode(Row.later("r", 20, ids("c STOP d")).finished(new FinishReason.StopString("STOP"))))
                .isEqualTo("c ");
    }

    @Test
    void shouldFindAStopStringAcrossChunksAfterALongText() {
        decode(Row.first("r", NO_PROMPT, ids("x".repeat(1000))));
        for (int i = 1; i <= 1000; i++) {
            decode(Row.later("r", 1000 + i, 'y'));
        }
        String stop = "y".repeat(IncrementalText.TAIL_CHARS) + "!";

        assertThat(decode(Row.later("r", 2001, '!', '?').finished(new FinishReason.StopString(stop))))
                .isEmpty();
    }

    @Test
    void shouldShowEverythingWhenTheStopStringIsNotInTheText() {
        assertThat(decode(Row.first("r", NO_PROMPT, ids("abc")).finished(new FinishReason.StopString("z"))))
                .isEqualTo("abc");
        assertThat(decode(Row.first("r", NO_PROMPT, ids("abc")).finished(new FinishReason.StopString(""))))
                .isEqualTo("abc");
    }

    @Test
    void shouldFlushAnAbortedRequest() {
        decode(Row.first("r", NO_PROMPT, 'a', 0xc3));

        assertThat(decode(Row.later("r", 2).finished(new FinishReason.Abort("Aborted", null, null))))
                .isEqualTo("\ufffd");
        assertThat(detokenizer.states()).isZero();
        assertThat(notices).isEmpty();
    }

    @Test
    void shouldBeginWithTheSeed() {
        assertThat(decode(Row.first("r", new int[] {'p', 0xc3}, 0xa9, 'b').seed("seed ")))
                .isEqualTo("seed b");
        assertThat(decode(Row.later("r", 3, 'c').seed("seed "))).isEqualTo("c");
    }

    @Test
    void shouldShowAWorkerTheGapOfAStateThatIsMissing() {
        String rid = new WireRid("u", 7, 1, 0).toString();
        BatchTokenIDOutput batch = TokenOutputs.of(Row.later(rid, 9, 'a', 'b'));
        assertThat(detokenizer.decode(batch)).containsExactly("");
        assertThat(batch.outputIds()[0]).as("9 tokens, and none of them here").isEmpty();
        assertThat(notices).containsExactly("missing_state");
        assertThat(detokenizer.states()).isZero();
    }

    @Test
    void shouldGoOnWithoutAStateAndSaySo() {
        assertThat(decode(Row.later("r", 9, 'a', 'b', 'c', 'd'))).isEqualTo("abcd");
        assertThat(notices).containsExactly("missing_state");
        assertThat(decode(Row.later("r", 10, 'e').finished(LENGTH))).isEqualTo("e");
        assertThat(notices).hasSize(1);
        assertThat(detokenizer.states()).isZero();
    }

    @Test
    void shouldEvictTheOldestStateAndSaySo() {
        for (int i = 0; i < 4; i++) {
            decode(Row.first("r" + i, NO_PROMPT, 0xc3));
        }

        assertThat(detokenizer.states()).isEqualTo(3);
        assertThat(notices).containsExactly("evicted_state");
        assertThat(decode(Row.later("r1", 2, 0xa9))).isEqualTo("é");
        assertThat(decode(Row.later("r0", 2, 0xa9))).isEqualTo("\ufffd");
    }

    @Test
    void shouldDiscardOutputOfDroppedRidsUntilTheyEnd() {
        decode(Row.first("r", NO_PROMPT, 'a'));
        detokenizer.drop(new String[] {"r", "never seen"});

        assertThat(detokenizer.states()).isZero();
        assertThat(decode(Row.later("r", 2, 'b'))).isNull();
        assertThat(decode(Row.first("never seen", NO_PROMPT, 'b'))).isNull();
        assertThat(decode(Row.later("r", 3, 'c').finished(LENGTH))).isNull();
        assertThat(detokenizer.states()).isZero();
        assertThat(notices).containsOnly("output_of_dropped_rid").hasSize(3);
    }

    @Test
    void shouldForgetTheRequestsOfAWorkerThatWasRestarted() {
        String[] rids = {"a\u001f7.0.0", "b\u001f9.0.0", "c\u001f8.0.0"};
        decode(Row.first(rids[0], NO_PROMPT, 'a').to("tcp://w0"));
        decode(Row.first(rids[1], NO_PROMPT, 'a').to("tcp://w0"));
        decode(Row.first(rids[2], NO_PROMPT, 'a').to("tcp://w1"));
        detokenizer.onWorker("tcp://w0", 9);

        assertThat(detokenizer.states())
                .as("its own new one, and another worker's")
                .isEqualTo(2);
        assertThat(decode(Row.later(rids[0], 2, 'b').finished(LENGTH))).isNull();
        assertThat(decode(Row.later(rids[1], 2, 'b'))).isEqualTo("b");
        assertThat(decode(Row.later(rids[2], 2, 'b'))).isEqualTo("b");
    }

    @Test
    void shouldBoundTheMemoryOfDroppedRids() {
        for (int i = 0; i <= Detokenizer.MAX_DROPPED_RIDS; i++) {
            detokenizer.drop(new String[] {"r" + i});
        }

        assertThat(decode(Row.first("r0", NO_PROMPT, 'a'))).as("forgotten").isEqualTo("a");
        assertThat(decode(Row.first("r1", NO_PROMPT, 'a'))).isNull();
    }

    @Test
    void shouldReplaceIdsOutsideTheVocabularyAsSglangDoes() {
        assertThat(decode(Row.first("r", NO_PROMPT, 'a', -1, 1000, 'b'))).isEqualTo("a\0\0b");
        assertThat(notices).containsOnly("unknown_token_id");
    }

    @Test
    void shouldSurviveAReadOffsetThatCannotBe() {
        Row row = Row.first("r", NO_PROMPT, 'a', 'b');
        Row tooFar = new Row("r", null, LENGTH, "", row.decodeIds(), 99, 0, true, false);
        Row negative = new Row("r", null, LENGTH, "", row.decodeIds(), -1, 0, true, false);

        assertThat(decode(tooFar)).isEmpty();
        assertThat(decode(negative)).isEqualTo("ab");
    }

    @Test
    void shouldNotMixRequestsOfOneBatch() {
        String[] first = detokenizer.decode(TokenOutputs.of(
                Row.first("r", NO_PROMPT, 0xe4, 0xbd),
                Row.first("s", NO_PROMPT, 0xc3),
                Row.first("t", NO_PROMPT, 'x')));
        String[] second = detokenizer.decode(TokenOutputs.of(Row.later("s", 2, 0xa9), Row.later("r", 3, 0xa0)));

        assertThat(first).containsExactly("", "", "x");
        assertThat(second).containsExactly("é", "你");
    }

    private String decode(Row row) {
        return detokenizer.decode(TokenOutputs.of(row))[0];
    }

    private int[] ids(String text) {
        return vocabulary.encode(text);
    }
}
