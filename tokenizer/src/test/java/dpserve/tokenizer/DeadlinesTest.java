package dpserve.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.io.message.AbortReq;
import dpserve.io.message.BatchStrOutput;
import dpserve.io.message.DropState;
import dpserve.io.message.EndNotice;
import dpserve.io.message.FinishReason;
import dpserve.io.message.RankDown;
import dpserve.io.message.SamplingParams;
import dpserve.io.message.TokenizedGenerateReqInput;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Every sequence ends in bounded time, whatever became of the messages about it. */
class DeadlinesTest {
    private static final long S = 1_000_000_000L;
    private static final int TIMEOUT_S = 60;
    private static final long GRACE_S = Deadlines.ABORT_GRACE_NS / S;

    private final Recorder recorder = new Recorder();
    private Deadlines deadlines = new Deadlines(TIMEOUT_S);
    private TokenizerManager manager = manager();

    private TokenizerManager manager() {
        return new TokenizerManager(
                "tcp://127.0.0.1:9",
                77,
                recorder,
                recorder,
                new Resumption(OnRankFailure.RESUME, 0),
                deadlines,
                ns -> ns / 1e9);
    }

    private SequenceState submit(String userRid, long atS) {
        SequenceSpec spec =
                new SequenceSpec(userRid, new int[] {1, 2}, SamplingParams.greedy(9), true, SequenceSpec.Routing.NONE);
        return manager.submit(spec, recorder.listener(), atS * S, atS * S);
    }

    private String rid(int index) {
        return recorder.sent(TokenizedGenerateReqInput.class).get(index).rid();
    }

    private void ends(String rid, FinishReason reason, long atS) {
        manager.onBatch(
                new BatchStrOutput(
                        new String[] {rid},
                        null,
                        new FinishReason[] {reason},
                        new String[] {""},
                        new int[][] {{}},
                        new int[1],
                        new int[1],
                        new int[1],
                        new int[1],
                        new int[1],
                        null,
                        null),
                atS * S);
    }

    @Test
    void shouldAbortOnceWhatTakesTooLongAndTellWhyItEnded() {
        SequenceState old = submit("old", 1);
        submit("young", 2);
        manager.onTick(TIMEOUT_S * S);
        assertThat(recorder.sent(AbortReq.class)).as("a second too early").isEmpty();
        manager.onTick((TIMEOUT_S + 1) * S);
        manager.onTick((TIMEOUT_S + 1) * S + S / 2);
        assertThat(recorder.sent(AbortReq.class))
                .singleElement()
                .satisfies(abort -> assertThat(abort.rid()).isEqualTo(rid(0)));
        assertThat(recorder.heard()).as("its rank still has it").isEmpty();
        ends(rid(0), new FinishReason.Abort("Aborted", null, null), TIMEOUT_S + 2);
        assertThat(old.finishReason())
                .isEqualTo(new FinishReason.Abort("The request took longer than 60 s.", 504, "TimeoutError"));
        assertThat(recorder.heard()).containsExactly("heard:old::abort");
        assertThat(deadlines.timedOut()).isEqualTo(1);
        assertThat(manager.size()).isEqualTo(1);
    }

    @Test
    void shouldKeepTheReasonOfWhatWasDoneFirst() {
        SequenceState state = submit("u", 0);
        manager.onTick(TIMEOUT_S * S);
        ends(rid(0), new FinishReason.StopToken(7), TIMEOUT_S);
        assertThat(state.finishReason()).isEqualTo(new FinishReason.StopToken(7));
    }

    @Test
    void shouldEndHereWhatDoesNotEndAfterItsAbort() {
        SequenceState state = submit("u", 0);
        manager.onTick(TIMEOUT_S * S);
        manager.onTick((TIMEOUT_S + GRACE_S - 1) * S);
        assertThat(manager.size()).isEqualTo(1);
        manager.onTick((TIMEOUT_S + GRACE_S) * S);
        assertThat(manager.size()).isZero();
        assertThat(((FinishReason.Abort) state.finishReason()).statusCode()).isEqualTo(504);
        assertThat(recorder.heard()).containsExactly("heard:u::abort");
        assertThat(recorder.sent(EndNotice.class).get(0).rids()).containsExactly(rid(0));
        assertThat(recorder.sent(DropState.class).get(0).rids()).containsExactly(rid(0));
        assertThat(deadlines.swept()).isEqualTo(1);
        ends(rid(0), new FinishReason.Length(1), TIMEOUT_S + GRACE_S + 1);
        assertThat(recorder.heard()).as("once").hasSize(1);
        assertThat(recorder.unknownRids).isEqualTo(1);
    }

    @Test
    void shouldSweepAZombieAndWhatAClientAborted() {
        manager.clientGone(submit("left", 0));
        SequenceState aborted = submit("aborted", 0);
        manager.abortByUser("aborted", false);
        manager.onTick(S);
        manager.onTick(GRACE_S * S);
        assertThat(manager.size()).isEqualTo(2);
        manager.onTick((1 + GRACE_S) * S);
        assertThat(manager.size()).isZero();
        assertThat(recorder.heard()).as("whoever left hears nothing").containsExactly("heard:aborted::abort");
        assertThat(((FinishReason.Abort) aborted.finishReason()).statusCode())
                .as("a client's wish is no error")
                .isNull();
        assertThat(deadlines.timedOut()).isZero();
    }

    @Test
    void shouldCountTheTimeOfAllAttemptsAndNotSendAgainWhatTookTooLong() {
        SequenceState state = submit("u", 0);
        manager.onRankDown(new RankDown(0, 5, "x", new String[] {rid(0)}), 50 * S);
        manager.onTick(TIMEOUT_S * S);
        assertThat(recorder.sent(AbortReq.class))
                .singleElement()
                .satisfies(abort -> assertThat(abort.rid()).isEqualTo(rid(1)));
        manager.onRankDown(new RankDown(1, 5, "x", new String[] {rid(1)}), (TIMEOUT_S + 1) * S);
        assertThat(recorder.sent(TokenizedGenerateReqInput.class)).hasSize(2);
        assertThat(((FinishReason.Abort) state.finishReason()).statusCode()).isEqualTo(504);
        assertThat(manager.size()).isZero();
    }

    @Test
    void shouldSetNoLimitWithZero() {
        deadlines = new Deadlines(0);
        manager = manager();
        submit("u", 0);
        manager.onTick(1_000_000 * S);
        assertThat(recorder.events).hasSize(1);
    }

    @Test
    void shouldLookTwiceASecondAtMost() {
        submit("u", 0);
        List<SequenceState> one = List.of(submit("v", 0));
        assertThat(deadlines.look(one, TIMEOUT_S * S - 1).toAbort()).isEmpty();
        assertThat(deadlines.look(one, TIMEOUT_S * S).toAbort()).isEmpty();
        assertThat(deadlines
                        .look(one, TIMEOUT_S * S - 1 + Deadlines.LOOK_INTERVAL_NS)
                        .toAbort())
                .hasSize(1);
    }
}
