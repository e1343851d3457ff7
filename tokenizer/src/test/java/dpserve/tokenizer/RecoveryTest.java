package dpserve.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.io.WireRid;
import dpserve.io.message.AbortReq;
import dpserve.io.message.BatchStrOutput;
import dpserve.io.message.ControllerHello;
import dpserve.io.message.DropState;
import dpserve.io.message.EndNotice;
import dpserve.io.message.FinishReason;
import dpserve.io.message.Hello;
import dpserve.io.message.KnownRids;
import dpserve.io.message.LostRids;
import dpserve.io.message.Role;
import dpserve.io.message.SamplingParams;
import dpserve.io.message.TokenizedGenerateReqInput;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What becomes of requests when the controller or a detokenizer is replaced. */
class RecoveryTest {
    private static final int DETOKENIZERS = 2;
    private static final long S = 1_000_000_000L;

    private final Recorder recorder = new Recorder();
    private final TokenizerManager manager = new TokenizerManager(
            "tcp://127.0.0.1:9",
            77,
            recorder,
            recorder,
            new Resumption(OnRankFailure.RESUME, 99),
            new Deadlines(60),
            ns -> ns / 1e9);
    private final Recovery recovery = new Recovery(manager, DETOKENIZERS);

    private SequenceState submit(String rid) {
        SequenceSpec spec =
                new SequenceSpec(rid, new int[] {1, 2, 3}, SamplingParams.greedy(9), true, SequenceSpec.Routing.NONE);
        return manager.submit(spec, recorder.listener(), 0, 0);
    }

    private List<String> sentRids() {
        return recorder.sent(TokenizedGenerateReqInput.class).stream()
                .map(TokenizedGenerateReqInput::rid)
                .toList();
    }

    private void controller(long epoch) {
        recovery.onController(new ControllerHello(epoch, Hello.PROTOCOL_VERSION));
    }

    private void known(long epoch, String... rids) {
        assertThat(recovery.onMessage(new KnownRids(epoch, rids, 0), 1)).isTrue();
    }

    private void answer(long sent, long nowNs, String... rids) {
        assertThat(recovery.onMessage(new KnownRids(1, rids, sent), nowNs)).isTrue();
    }

    private void output(String wireRid, int id) {
        output(wireRid, 1, null, 1, id);
    }

    private void output(String wireRid, int made, FinishReason reason, long nowNs, int id) {
        manager.onBatch(
                new BatchStrOutput(
                        new String[] {wireRid},
                        null,
                        new FinishReason[] {reason},
                        new String[] {"x"},
                        new int[][] {{id}},
                        new int[] {3},
                        new int[] {made},
                        new int[1],
                        new int[1],
                        new int[1],
                        new Integer[] {1},
                        null),
                nowNs);
    }

    /** All that waited for the worker was read, and nothing came for a while. */
    private void settle(long nowNs) {
        recovery.onCaughtUp(nowNs);
        recovery.onTick(nowNs + Recovery.SETTLE_NS);
    }

    @Test
    void shouldSendAgainOnlyWhatNoRankHoldsAfterTheControllersRestart() {
        controller(1);
        SequenceState held = submit("held");
        SequenceState lost = submit("lost");
        String lostRid = lost.wireRid;
        controller(2);
        SequenceState later = submit("later");
        String laterRid = later.wireRid;
        recorder.events.clear();
        known(2, held.wireRid);
        assertThat(sentRids()).containsExactly(lost.wireRid);
        assertThat(WireRid.parse(lost.wireRid).attempt()).isEqualTo(1);
        assertThat(later.wireRid).as("sent to the new controller").isEqualTo(laterRid);
        assertThat(recorder.sent(DropState.class))
                .singleElement()
                .satisfies(d -> assertThat(d.rids()).containsExactly(lostRid));
        assertThat(recorder.sent(AbortReq.class)).isEmpty();

        recorder.events.clear();
        known(2, held.wireRid);
        assertThat(recorder.events).as("told again").isEmpty();
    }

    @Test
    void shouldNotMissAnythingWithTheFirstController() {
        SequenceState early = submit("before it was heard");
        controller(1);
        recorder.events.clear();
        known(1);
        assertThat(recorder.events).isEmpty();
        assertThat(early.attempt).isZero();
    }

    @Test
    void shouldAskWhatIsKnownOfAttemptsThatAreQuietForLong() {
        controller(1);
        submit("first");
        assertThat(recovery.question(5 * S - 1)).as("not for long").isZero();
        assertThat(recovery.question(5 * S)).isEqualTo(1);
        assertThat(recovery.question(9 * S)).as("asked a moment ago").isZero();
        submit("second");
        assertThat(recovery.question(10 * S)).isEqualTo(2);
    }

    @Test
    void shouldNotAskWhileTokensComeOrNothingRuns() {
        assertThat(recovery.question(60 * S)).isZero();
        controller(1);
        SequenceState state = submit("first");
        state.tokensAt(57 * S);
        assertThat(recovery.question(60 * S)).isZero();
    }

    @Test
    void shouldSendAgainWhatTheControllerNeverGot() {
        controller(1);
        SequenceState known = submit("known");
        SequenceState lost = submit("lost");
        long sent = recovery.question(6 * S);
        SequenceState later = submit("sent after the question");
        String laterRid = later.wireRid;
        recorder.events.clear();
        answer(sent, 7 * S, known.wireRid, "ended long ago");
        settle(7 * S);
        assertThat(sentRids()).containsExactly(lost.wireRid);
        assertThat(WireRid.parse(lost.wireRid).attempt()).isEqualTo(1);
        assertThat(later.wireRid).isEqualTo(laterRid);
        assertThat(recorder.sent(EndNotice.class))
                .as("a word of an end that was lost is said again")
                .singleElement()
                .satisfies(e -> assertThat(e.rids()).containsExactly("ended long ago"));
        recorder.events.clear();
        answer(sent, 8 * S, known.wireRid);
        settle(8 * S);
        assertThat(sentRids()).as("an answer that comes twice").isEmpty();
    }

    @Test
    void shouldAbortAgainWhatItsClientLeftAndEndWhatEndedMeanwhile() {
        controller(1);
        SequenceState left = submit("left");
        SequenceState lostAndLeft = submit("lost and left");
        manager.clientGone(left);
        manager.clientGone(lostAndLeft);
        controller(2);
        recorder.events.clear();
        known(2, left.wireRid, "ended long ago");
        assertThat(recorder.sent(AbortReq.class))
                .extracting(AbortReq::rid)
                .containsExactly(left.wireRid, "ended long ago");
        assertThat(recorder.sent(EndNotice.class))
                .singleElement()
                .satisfies(e -> assertThat(e.rids()).containsExactly("ended long ago"));
        assertThat(sentRids()).isEmpty();
        assertThat(manager.size()).isEqualTo(1);
    }

    @Test
    void shouldBeginAnewWhatNoRankHolds() {
        controller(1);
        SequenceState state = submit("u");
        output(state.wireRid, 11);
        recovery.onMessage(new LostRids(3, new String[] {state.wireRid, "unknown"}), 1);
        settle(1);
        assertThat(WireRid.parse(state.wireRid).attempt()).isEqualTo(1);
        assertThat(state.rankDeaths).as("its rank lives").isZero();
        assertThat(recorder.sent(EndNotice.class)).as("ended by the controller").isEmpty();
        assertThat(recorder.sent(AbortReq.class)).isEmpty();
    }

    @Test
    void shouldNotTakeForLostWhoseEndMayStillWaitToBeRead() {
        controller(1);
        SequenceState late = submit("late");
        SequenceState lost = submit("lost");
        String lateRid = late.wireRid;
        recovery.onMessage(new LostRids(3, new String[] {late.wireRid, lost.wireRid}), 1);
        recovery.onTick(60 * S);
        assertThat(sentRids()).as("this worker is behind").containsExactly(lateRid, lost.wireRid);
        assertThat(recovery.isSuspecting()).isTrue();

        recovery.onCaughtUp(60 * S);
        output(lateRid, 1, null, 60 * S + 1, 11);
        recovery.onTick(60 * S + Recovery.SETTLE_NS);
        assertThat(WireRid.parse(lost.wireRid).attempt()).isEqualTo(1);
        assertThat(late.wireRid).as("something was heard of it meanwhile").isEqualTo(lateRid);
        output(lateRid, 2, new FinishReason.Length(2), 61 * S, 12);
        recovery.onTick(70 * S);
        assertThat(late.finishReason).isEqualTo(new FinishReason.Length(2));
        assertThat(recovery.isSuspecting()).isFalse();
    }

    @Test
    void shouldBeginAnewWhoseTextWasLostWithTheDetokenizer() {
        SequenceState first = submit("first");
        SequenceState second = first;
        while (WireRid.detokenizer(second.wireRid, DETOKENIZERS) == WireRid.detokenizer(first.wireRid, DETOKENIZERS)) {
            second = submit("second");
        }
        String lost = second.wireRid;
        String kept = first.wireRid;
        output(lost, 11);
        recorder.events.clear();
        int index = WireRid.detokenizer(lost, DETOKENIZERS);
        Hello hello = new Hello(Role.DETOKENIZER, index, 5, Map.of(), 1, 1, Map.of(), new String[0]);
        assertThat(recovery.onMessage(hello, 1)).isTrue();
        assertThat(recorder.sent(AbortReq.class)).extracting(AbortReq::rid).containsExactly(lost);
        assertThat(recorder.sent(EndNotice.class))
                .singleElement()
                .satisfies(e -> assertThat(e.rids()).containsExactly(lost));
        assertThat(recorder.sent(TokenizedGenerateReqInput.class))
                .singleElement()
                .satisfies(m -> assertThat(m.inputIds()).containsExactly(1, 2, 3, 11));
        assertThat(first.wireRid).isEqualTo(kept);
    }

    @Test
    void shouldKeepRequestsUntilAControllerIsThere() {
        recorder.controllerHere = false;
        SequenceState waits = submit("waits");
        SequenceState left = submit("left");
        manager.clientGone(left);
        manager.onTick(S);
        assertThat(recorder.events).isEmpty();
        assertThat(left.finishReason())
                .as("never sent, so nothing is to be awaited")
                .isNotNull();
        known(2);
        assertThat(waits.attempt).as("not lost: not yet sent").isZero();
        recorder.controllerHere = true;
        manager.onTick(2 * S);
        assertThat(sentRids()).containsExactly(waits.wireRid);
        assertThat(manager.waiting()).isZero();
        manager.onTick(3 * S);
        assertThat(sentRids()).hasSize(1);
    }

    @Test
    void shouldRefuseWhatHasWaitedTooLongForAController() {
        recorder.controllerHere = false;
        SequenceState state = submit("u");
        manager.onTick(Attempts.CONTROLLER_WAIT_NS - 1);
        assertThat(state.finishReason()).isNull();
        manager.onTick(Attempts.CONTROLLER_WAIT_NS);
        assertThat(state.finishReason()).isEqualTo(Resumption.unavailable("The controller is not reachable."));
        assertThat(recorder.heard()).hasSize(1);
        assertThat(manager.size()).isZero();
        assertThat(manager.waiting()).isZero();
    }
}
