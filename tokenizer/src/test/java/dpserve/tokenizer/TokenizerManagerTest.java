package dpserve.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dpserve.io.WireRid;
import dpserve.io.message.AbortReq;
import dpserve.io.message.BatchStrOutput;
import dpserve.io.message.DropState;
import dpserve.io.message.EndNotice;
import dpserve.io.message.FinishReason;
import dpserve.io.message.HealthCheckOutput;
import dpserve.io.message.RankDown;
import dpserve.io.message.Refused;
import dpserve.io.message.SamplingParams;
import dpserve.io.message.TokenizedGenerateReqInput;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class TokenizerManagerTest {
    private static final String PULL = "tcp://127.0.0.1:9";
    private static final long INCARNATION = 77;

    private final Recorder recorder = new Recorder();
    private final TokenizerManager manager = new TokenizerManager(
            PULL,
            INCARNATION,
            recorder,
            recorder,
            new Resumption(OnRankFailure.FAIL, 0),
            new Deadlines(60),
            ns -> ns / 1e9);

    private SequenceState submit(String userRid) {
        SequenceSpec spec = new SequenceSpec(
                userRid, new int[] {1, 2, 3}, SamplingParams.greedy(9), true, SequenceSpec.Routing.NONE);
        return manager.submit(spec, recorder.listener(), 0, 0);
    }

    private String wireRid(int index) {
        return recorder.sent(TokenizedGenerateReqInput.class).get(index).rid();
    }

    /** One row for each rid: a token and the text "x", finished where a reason is given. */
    private static BatchStrOutput output(int completion, FinishReason reason, String... rids) {
        int n = rids.length;
        FinishReason[] reasons = new FinishReason[n];
        String[] texts = new String[n];
        int[][] ids = new int[n][];
        int[] completions = new int[n];
        for (int i = 0; i < n; i++) {
            reasons[i] = reason;
            texts[i] = "x";
            ids[i] = new int[] {5};
            completions[i] = completion;
        }
        return new BatchStrOutput(
                rids,
                null,
                reasons,
                texts,
                ids,
                new int[n],
                completions,
                new int[n],
                new int[n],
                new int[n],
                null,
                null);
    }

    @Test
    void shouldNameEachAttemptItsOwnWay() {
        submit("same");
        submit("same");
        WireRid first = WireRid.parse(wireRid(0));
        WireRid second = WireRid.parse(wireRid(1));
        assertThat(first).isEqualTo(new WireRid("same", INCARNATION, 0, 0));
        assertThat(second).isEqualTo(new WireRid("same", INCARNATION, 1, 0));
        assertThat(recorder.sent(TokenizedGenerateReqInput.class).get(0).httpWorkerIpc())
                .isEqualTo(PULL);
    }

    @Test
    void shouldSendOneEndNoticeForABatchBeforeAnyListenerHears() {
        submit("a");
        submit("b");
        String a = wireRid(0);
        String b = wireRid(1);
        recorder.events.clear();
        manager.onBatch(output(1, new FinishReason.Length(1), a, b), 1);
        assertThat(recorder.sent(EndNotice.class)).hasSize(1);
        assertThat(recorder.sent(EndNotice.class).get(0).rids()).containsExactly(a, b);
        assertThat(recorder.events.get(0)).isInstanceOf(EndNotice.class);
        assertThat(recorder.heard()).containsExactly("heard:a:x:length", "heard:b:x:length");
        assertThat(manager.size()).isZero();
    }

    @Test
    void shouldGatherTextAndIdsUntilTheEnd() {
        SequenceState state = submit("a");
        manager.onBatch(output(1, null, wireRid(0)), 1);
        manager.onBatch(output(2, null, wireRid(0)), 2);
        manager.onBatch(output(3, new FinishReason.StopToken(7), wireRid(0)), 3);
        assertThat(state.text().toString()).isEqualTo("xxx");
        assertThat(state.completionTokens()).isEqualTo(3);
        assertThat(state.firstTokenNs()).isEqualTo(1);
        assertThat(state.lastTokenNs()).isEqualTo(3);
        assertThat(recorder.ended).containsExactly(state);
    }

    @Test
    void shouldGoOnBehindWhatAnotherServerMade() {
        SequenceSpec spec = new SequenceSpec(
                "a",
                new int[] {1, 2, 3},
                SamplingParams.greedy(9),
                true,
                SequenceSpec.Routing.NONE,
                new SequenceSpec.Resume(new int[] {7, 8}, "shown ", null),
                null);
        SequenceState state = manager.submit(spec, recorder.listener(), 0, 0);
        TokenizedGenerateReqInput sent =
                recorder.sent(TokenizedGenerateReqInput.class).get(0);
        assertThat(sent.inputIds()).containsExactly(1, 2, 3, 7, 8);
        assertThat(sent.resumed()).isEqualTo(2);
        assertThat(sent.samplingParams().maxNewTokens()).isEqualTo(7);
        // The detokenizer begins at the prompt's border: what was shown is dropped, in whatever pieces it comes.
        manager.onBatch(text(1, null, wireRid(0), "sho"), 1);
        manager.onBatch(text(2, new FinishReason.Length(2), wireRid(0), "wn new"), 2);
        assertThat(recorder.heard()).containsExactly("heard:a:", "heard:a:new:length");
        assertThat(state.text().toString()).isEqualTo("shown new");
        assertThat(state.completionTokens()).isEqualTo(4);
        assertThat(state.finishReason()).isEqualTo(new FinishReason.Length(4));
    }

    @Test
    void shouldEndAtOnceWhatAnotherServerMadeWhole() {
        SequenceSpec spec = new SequenceSpec(
                "a",
                new int[] {1},
                SamplingParams.greedy(2),
                true,
                SequenceSpec.Routing.NONE,
                new SequenceSpec.Resume(new int[] {7, 8}, "all", null),
                null);
        manager.submit(spec, recorder.listener(), 0, 0);
        assertThat(recorder.sent(TokenizedGenerateReqInput.class)).isEmpty();
        assertThat(recorder.heard()).containsExactly("heard:a::length");
        assertThat(manager.size()).isZero();
    }

    @Test
    void shouldMakeNothingMoreOfWhatEndedElsewhere() {
        SequenceSpec spec = new SequenceSpec(
                "a",
                new int[] {1},
                SamplingParams.greedy(100),
                true,
                SequenceSpec.Routing.NONE,
                new SequenceSpec.Resume(new int[] {7, 8}, "all", new FinishReason.StopString("!")),
                null);
        SequenceState state = manager.submit(spec, recorder.listener(), 0, 0);
        assertThat(recorder.sent(TokenizedGenerateReqInput.class)).isEmpty();
        assertThat(recorder.heard()).containsExactly("heard:a::stop");
        assertThat(state.completionTokens()).isEqualTo(2);
    }

    /** One row: a token and some text. */
    private static BatchStrOutput text(int completion, FinishReason reason, String rid, String text) {
        BatchStrOutput one = output(completion, reason, rid);
        one.outputStrs()[0] = text;
        return one;
    }

    @Test
    void shouldEndAnAttemptOnlyOnce() {
        submit("a");
        String rid = wireRid(0);
        manager.onBatch(output(1, new FinishReason.Length(1), rid), 1);
        manager.onBatch(output(2, new FinishReason.Length(1), rid), 2);
        manager.onAbortAnswer(AbortReq.of(rid, null), 3);
        manager.onRefused(new Refused(rid, 503, "late"), 4);
        manager.onRankDown(new RankDown(0, 1, "late", new String[] {rid}), 5);
        assertThat(recorder.heard()).containsExactly("heard:a:x:length");
        assertThat(recorder.sent(EndNotice.class)).hasSize(1);
        assertThat(recorder.ended).hasSize(1);
        assertThat(recorder.unknownRids).isEqualTo(3);
    }

    @Test
    void shouldEndWhatADeadRankHeldAndNothingElse() {
        submit("held");
        submit("elsewhere");
        String held = wireRid(0);
        manager.onBatch(output(1, null, held), 1);
        recorder.events.clear();
        manager.onRankDown(new RankDown(2, 5, "no heartbeat", new String[] {held, "of an earlier life"}), 2);
        assertThat(recorder.heard()).containsExactly("heard:held::abort");
        FinishReason.Abort reason = (FinishReason.Abort) recorder.ended.get(0).finishReason();
        assertThat(reason.statusCode()).isEqualTo(503);
        assertThat(reason.message()).contains("DP rank 2").contains("no heartbeat");
        assertThat(recorder.sent(DropState.class).get(0).rids()).containsExactly(held);
        assertThat(recorder.sent(EndNotice.class))
                .as("the controller ended it with the rank")
                .isEmpty();
        assertThat(manager.size()).isEqualTo(1);
    }

    @Test
    void shouldTellARefusalWithItsStatus() {
        submit("a");
        manager.onRefused(new Refused(wireRid(0), 400, "routed_dp_rank must be 0 to 3"), 1);
        assertThat(recorder.ended.get(0).finishReason())
                .isEqualTo(new FinishReason.Abort("routed_dp_rank must be 0 to 3", 400, "BadRequestError"));
    }

    @Test
    void shouldKeepAZombieUntilItsEndArrives() {
        SequenceState state = submit("a");
        String rid = wireRid(0);
        manager.clientGone(state);
        manager.clientGone(state);
        assertThat(recorder.sent(AbortReq.class)).containsExactly(AbortReq.of(rid, PULL));
        assertThat(manager.zombies()).isEqualTo(1);
        manager.onBatch(output(1, new FinishReason.Abort("Aborted", null, null), rid), 1);
        assertThat(manager.size()).isZero();
        assertThat(recorder.heard()).isEmpty();
        assertThat(recorder.sent(EndNotice.class)).hasSize(1);
        assertThat(recorder.ended).containsExactly(state);
    }

    @Test
    void shouldGiveUpAnAttemptWhoseOutputHasAGap() {
        submit("a");
        String rid = wireRid(0);
        manager.onBatch(output(1, null, rid), 1);
        recorder.events.clear();
        manager.onBatch(output(3, null, rid), 2);
        assertThat(recorder.gaps).isEqualTo(1);
        assertThat(recorder.sent(AbortReq.class)).containsExactly(AbortReq.of(rid, PULL));
        assertThat(recorder.sent(DropState.class)).hasSize(1);
        assertThat(recorder.sent(EndNotice.class)).hasSize(1);
        assertThat(recorder.heard()).containsExactly("heard:a::abort");
    }

    @Test
    void shouldAbortEverySampleOfAUsersRid() {
        submit("mine");
        submit("mine");
        submit("other");
        recorder.events.clear();
        manager.abortByUser("mine", false);
        assertThat(recorder.sent(AbortReq.class))
                .extracting(AbortReq::rid)
                .allMatch(rid -> WireRid.userPart(rid).equals("mine"));
        assertThat(recorder.sent(AbortReq.class)).hasSize(2);
    }

    @Test
    void shouldAskTheControllerAboutARidOfAnotherWorker() {
        submit("mine");
        recorder.events.clear();
        manager.abortByUser("theirs", false);
        assertThat(recorder.sent(AbortReq.class)).containsExactly(AbortReq.of("theirs", PULL));
        manager.abortByUser("", true);
        assertThat(recorder.sent(AbortReq.class).get(1).abortAll()).isTrue();
    }

    @Test
    void shouldEndAtOnceWhatTheStreamDoesNotTake() {
        recorder.reachable = false;
        submit("a");
        assertThat(recorder.heard()).containsExactly("heard:a::abort");
        assertThat(((FinishReason.Abort) recorder.ended.get(0).finishReason()).statusCode())
                .isEqualTo(503);
        assertThat(manager.size()).isZero();
    }

    @Test
    void shouldTellOfARequestThatNeverRan() {
        submit("a");
        FinishReason full = new FinishReason.Abort("The request queue is full.", 503, null);
        manager.onAbortAnswer(new AbortReq(wireRid(0), PULL, false, full, null), 1);
        assertThat(recorder.ended.get(0).finishReason()).isEqualTo(full);
        submit("b");
        manager.onAbortAnswer(new AbortReq(wireRid(1), PULL, false, null, "Abort in waiting queue"), 2);
        assertThat(recorder.ended.get(1).finishReason())
                .isEqualTo(new FinishReason.Abort("Abort in waiting queue", null, null));
    }

    @Test
    void shouldTakeNoNoticeOfASecondEndInOneBatch() {
        submit("a");
        String rid = wireRid(0);
        manager.onBatch(output(1, new FinishReason.Length(1), rid, rid), 1);
        assertThat(recorder.heard()).containsExactly("heard:a:x:length");
        assertThat(recorder.unknownRids).isEqualTo(1);
    }

    @Test
    void shouldSayNothingOfABatchInWhichNothingEnds() {
        submit("a");
        manager.onBatch(output(1, null, wireRid(0)), 1);
        assertThat(recorder.sent(EndNotice.class)).isEmpty();
        manager.onRankDown(new RankDown(2, 5, "held nothing of ours", new String[0]), 2);
        assertThat(recorder.sent(DropState.class)).isEmpty();
        assertThat(recorder.sent(EndNotice.class)).isEmpty();
    }

    @Test
    void shouldKeepOutputFromTheListenerOfAClientThatLeft() {
        SequenceState state = submit("a");
        manager.clientGone(state);
        manager.onBatch(output(1, null, wireRid(0)), 1);
        assertThat(recorder.heard()).isEmpty();
        assertThat(manager.zombies()).isEqualTo(1);
    }

    @Test
    void shouldNotAbortARankThatHasEndedARequestWithAGap() {
        SequenceState state = submit("a");
        manager.onBatch(output(3, new FinishReason.Length(3), wireRid(0)), 1);
        assertThat(recorder.gaps).isEqualTo(1);
        assertThat(recorder.sent(AbortReq.class)).isEmpty();
        assertThat(recorder.heard()).containsExactly("heard:a::abort");
        manager.clientGone(state);
        assertThat(recorder.sent(AbortReq.class)).as("it has ended").isEmpty();
    }

    @Test
    void shouldTellEveryListenerOfABatchThoughOneOfThemFails() {
        SequenceSpec bad =
                new SequenceSpec("bad", new int[] {1}, SamplingParams.greedy(9), true, SequenceSpec.Routing.NONE);
        manager.submit(
                bad,
                (state, text) -> {
                    throw new IllegalStateException("listener");
                },
                0,
                0);
        submit("good");
        BatchStrOutput batch = output(1, new FinishReason.Length(1), wireRid(0), wireRid(1));
        assertThatThrownBy(() -> manager.onBatch(batch, 1)).hasMessage("listener");
        assertThat(recorder.heard()).containsExactly("heard:good:x:length");
        assertThat(recorder.ended).hasSize(2);
    }

    @Test
    void shouldNotPassAProbeThatNoRankTook() {
        SequenceSpec probe = probe();
        List<Boolean> answers = new ArrayList<>();
        String refused = manager.probe(probe, answers::add);
        manager.onRefused(new Refused(refused, 503, "dp_rank 1 is not up"), 1);
        assertThat(answers).containsExactly(false);
        recorder.reachable = false;
        assertThat(manager.probe(probe, answers::add)).as("not sent").isNull();
        assertThat(manager.probes()).isZero();
        assertThat(answers).hasSize(1);
    }

    private static SequenceSpec probe() {
        return new SequenceSpec(
                "HEALTH_CHECK_1", new int[] {0}, SamplingParams.greedy(1), false, SequenceSpec.Routing.toRank(1));
    }

    @Test
    void shouldCountProbesApartAndForgetThem() {
        List<Boolean> answers = new ArrayList<>();
        SequenceSpec probe = probe();
        String ran = manager.probe(probe, answers::add);
        String busy = manager.probe(probe, answers::add);
        String silent = manager.probe(probe, answers::add);
        assertThat(manager.probes()).isEqualTo(3);
        manager.onBatch(output(1, new FinishReason.Length(1), ran), 1);
        manager.onHealthCheck(new HealthCheckOutput(busy, PULL));
        manager.forgetProbe(silent);
        manager.onBatch(output(1, new FinishReason.Length(1), silent), 2);
        assertThat(answers).containsExactly(true, true);
        assertThat(manager.probes()).isZero();
        assertThat(recorder.unknownRids).isZero();
        assertThat(recorder.sent(EndNotice.class)).isEmpty();
        assertThat(List.of(ran, busy, silent)).doesNotHaveDuplicates();
    }
}
