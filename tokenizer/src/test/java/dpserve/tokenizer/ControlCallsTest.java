package dpserve.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.io.message.GetLoadReqOutput;
import dpserve.io.message.Message;
import dpserve.tokenizer.ControlCalls.Kind;
import dpserve.tokenizer.ControlCalls.Question;
import dpserve.tokenizer.ControlCalls.Result;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ControlCallsTest {
    private static final long LIMIT_NS = 1000;

    private final ControlCalls calls = new ControlCalls(7);

    /** Names of the calls whose questions were sent, in order. */
    private final List<String> asked = new ArrayList<>();

    private final List<Result> results = new ArrayList<>();

    private static Message answer(int rank) {
        return GetLoadReqOutput.legacy(rank, 1, 0, 2, 0);
    }

    private void call(Kind kind, long nowNs, String... awaited) {
        calls.call(kind, question(awaited), LIMIT_NS, results::add, nowNs);
    }

    private Question question(String... awaited) {
        return new Question(() -> new LinkedHashSet<>(List.of(awaited)), asked::add);
    }

    private boolean answer(String rid, String from, long nowNs) {
        return calls.answer(Kind.LOAD, rid, from, answer(from.charAt(0)), nowNs);
    }

    @Test
    void shouldEndWithTheLastAnswer() {
        call(Kind.LOAD, 0, "a", "b");
        assertThat(answer(asked.get(0), "b", 1)).isTrue();
        assertThat(results).isEmpty();
        assertThat(answer(asked.get(0), "a", 2)).isTrue();

        assertThat(results).singleElement().satisfies(result -> {
            assertThat(result.answers()).containsOnlyKeys("a", "b");
            assertThat(result.missing()).isEmpty();
        });
        assertThat(calls.size()).isZero();
    }

    @Test
    void shouldEndAtOnceWhenNobodyIsAsked() {
        call(Kind.LOAD, 0);

        assertThat(results).containsExactly(new Result(Map.of(), List.of()));
    }

    @Test
    void shouldNameThoseWhoDidNotAnswerInTime() {
        call(Kind.LOAD, 0, "a", "b", "c");
        answer(asked.get(0), "b", 1);
        calls.tick(LIMIT_NS - 1);
        assertThat(results).isEmpty();
        calls.tick(LIMIT_NS);

        assertThat(results).singleElement().satisfies(result -> {
            assertThat(result.answers()).containsOnlyKeys("b");
            assertThat(result.missing()).containsExactly("a", "c");
        });
    }

    @Test
    void shouldKeepOneCallOfAKindInFlight() {
        call(Kind.LOAD, 0, "a");
        call(Kind.LOAD, 0, "a");
        call(Kind.FLUSH_CACHE, 0, "a");
        assertThat(asked).as("the second load call waits, the flush does not").hasSize(2);
        assertThat(calls.size()).isEqualTo(3);

        answer(asked.get(0), "a", 500);
        assertThat(asked).hasSize(3);
        calls.tick(LIMIT_NS - 1);
        assertThat(results).hasSize(1);
        calls.tick(LIMIT_NS);
        assertThat(results).as("its time began when it was called").hasSize(3);
        assertThat(calls.size()).isZero();
    }

    @Test
    void shouldEndCallsInTimeThatNeverHadTheirTurn() {
        call(Kind.LOAD, 0, "a", "b");
        call(Kind.LOAD, 0, "a", "b");
        call(Kind.LOAD, 1, "a", "b");
        call(Kind.LOAD, 90, "a", "b");
        answer(asked.get(0), "a", 5);
        calls.tick(LIMIT_NS + 1);
        assertThat(results)
                .extracting(Result::missing)
                .containsExactly(List.of("b"), List.of("a", "b"), List.of("a", "b"));
        assertThat(asked).as("what is over is not asked any more").hasSize(2);
        answer(asked.get(1), "a", LIMIT_NS + 2);
        calls.tick(LIMIT_NS + 90);
        assertThat(results).hasSize(4);
        assertThat(results.get(3).answers()).containsOnlyKeys("a");
        assertThat(calls.size()).isZero();
    }

    @Test
    void shouldEndAWaitingCallBeforeALongerOneThatIsInFlight() {
        calls.call(Kind.FLUSH_CACHE, question("a"), 100 * LIMIT_NS, results::add, 0);
        call(Kind.FLUSH_CACHE, 0, "a");
        calls.tick(LIMIT_NS);
        assertThat(results).containsExactly(new Result(Map.of(), List.of("a")));
        assertThat(asked).hasSize(1);
        assertThat(calls.size()).isEqualTo(1);
    }

    @Test
    void shouldAllowACallFromWithinTheEndOfOneThatIsOver() {
        call(Kind.LOAD, 0, "a");
        calls.call(Kind.LOAD, question("a"), LIMIT_NS, result -> call(Kind.LOAD, LIMIT_NS, "b"), 0);
        calls.tick(LIMIT_NS);
        assertThat(asked).hasSize(2);
        assertThat(answer(asked.get(1), "b", LIMIT_NS + 1)).isTrue();
        assertThat(results).hasSize(2);
        assertThat(calls.size()).isZero();
    }

    @Test
    void shouldGiveEveryCallAnotherName() {
        call(Kind.LOAD, 0);
        call(Kind.FLUSH_CACHE, 0);
        call(Kind.INTERNAL_STATE, 0);

        assertThat(asked).doesNotHaveDuplicates().allMatch(rid -> rid.contains("7"));
    }

    @Test
    void shouldTakeAnswersThatDoNotCopyTheName() {
        call(Kind.LOAD, 0, "a");

        assertThat(answer(null, "a", 1)).isTrue();
        assertThat(results).hasSize(1);
    }

    @Test
    void shouldPassOverAnswersNobodyWaitsFor() {
        assertThat(answer(null, "a", 0)).as("no call").isFalse();
        call(Kind.LOAD, 0, "a", "b");
        assertThat(answer("call-7-99", "a", 1)).as("another call").isFalse();
        assertThat(answer(asked.get(0), "x", 1)).as("not asked").isFalse();
        assertThat(answer(asked.get(0), "a", 1)).isTrue();
        assertThat(answer(asked.get(0), "a", 1)).as("twice").isFalse();
        assertThat(calls.answer(Kind.FLUSH_CACHE, asked.get(0), "b", answer(1), 1))
                .as("another kind")
                .isFalse();
        calls.tick(LIMIT_NS);
        assertThat(answer(asked.get(0), "b", LIMIT_NS + 1)).as("too late").isFalse();
        assertThat(results).hasSize(1);
    }

    @Test
    void shouldAllowACallFromWithinTheEndOfAnother() {
        calls.call(Kind.LOAD, question("a"), LIMIT_NS, result -> call(Kind.LOAD, 1, "b"), 0);
        answer(asked.get(0), "a", 1);

        assertThat(asked).hasSize(2);
        assertThat(answer(asked.get(1), "b", 2)).isTrue();
        assertThat(results).hasSize(1);
        assertThat(calls.size()).isZero();
    }
}
