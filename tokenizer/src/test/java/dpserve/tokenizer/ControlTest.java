package dpserve.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.io.message.ControllerHello;
import dpserve.io.message.FlushCacheReqOutput;
import dpserve.io.message.GetInternalStateReq;
import dpserve.io.message.GetInternalStateReqOutput;
import dpserve.io.message.GetLoadReqInput;
import dpserve.io.message.GetLoadReqOutput;
import dpserve.io.message.GetRequestReq;
import dpserve.io.message.GetRequestReqOutput;
import dpserve.io.message.RankDown;
import dpserve.io.message.RankUp;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ControlTest {
    private static final long LIMIT_NS = 1000;

    private final Recorder recorder = new Recorder();
    private final RankStates ranks = new RankStates(3);
    private final ControlCalls calls = new ControlCalls(9);
    private final Control control = new Control(
            new Control.Worker(0, "tcp://127.0.0.1:9", 1, 2, 1),
            ranks,
            recorder,
            calls,
            () -> Map.of("role", "tokenizer", "index", 0));

    private static RankUp up(int rank, long incarnation) {
        return new RankUp(rank, incarnation, "tcp://127.0.0.1:1", Map.of("max_total_num_tokens", 100L), "");
    }

    private static GetLoadReqOutput load(int rank, String callRid) {
        return GetLoadReqOutput.legacy(rank, 4, 1, 100, 1).answering(callRid, null);
    }

    @Test
    void shouldGatherTheLoadsOfAllLiveRanksInOrder() {
        ranks.onUp(up(0, 1));
        ranks.onUp(up(1, 1));
        List<Control.Loads> results = new ArrayList<>();
        control.loads(LIMIT_NS, results::add, 0);
        String rid = recorder.sent(GetLoadReqInput.class).get(0).rid();
        assertThat(control.onAnswer(load(1, rid), 1)).isTrue();
        assertThat(control.onAnswer(load(1, rid), 1)).as("a second answer").isFalse();
        assertThat(control.onAnswer(load(0, null), 1))
                .as("SGLang does not copy the rid")
                .isTrue();
        assertThat(results).hasSize(1);
        assertThat(results.get(0).loads()).extracting(GetLoadReqOutput::dpRank).containsExactly(0, 1);
        assertThat(results.get(0).missing()).isEmpty();
        assertThat(control.onAnswer(load(0, rid), 2))
                .as("nobody waits any more")
                .isFalse();
    }

    private static GetRequestReqOutput found(String callRid, String from, String list, String one) {
        return new GetRequestReqOutput(callRid, null, from, Map.of(list, List.of(one)));
    }

    private static RequestLog.Found own(Object... sequences) {
        return new RequestLog.Found(List.of(sequences), false);
    }

    @Test
    void shouldSayThatSomebodyKnowsMoreOfARid() {
        List<Control.Found> results = new ArrayList<>();
        RequestLog.Found newest = new RequestLog.Found(List.of("own"), true);
        control.find("mine", newest, LIMIT_NS, results::add, 0);
        control.find("mine", own("own"), LIMIT_NS, results::add, 0);
        for (int i = 0; i < 2; i++) {
            String rid = recorder.sent(GetRequestReq.class).get(i).rid();
            Map<String, Object> theirs = Map.of("sequences", List.of("theirs"), "truncated", i == 1);
            control.onAnswer(new GetRequestReqOutput(rid, null, "tokenizer 1", theirs), 1);
            control.onAnswer(found(rid, "controller", "decisions", "why"), 1);
        }
        assertThat(results).hasSize(2).allMatch(Control.Found::truncated);

        control.onRequestQuestion(new GetRequestReq("call", "tcp://127.0.0.1:8", "mine"), newest);
        assertThat(recorder.sent(GetRequestReqOutput.class).get(0).found())
                .isEqualTo(Map.of("sequences", List.of("own"), "truncated", true));
    }

    @Test
    void shouldFindARequestWhereverItIsKnown() {
        List<Control.Found> results = new ArrayList<>();
        control.find("mine", own("own"), LIMIT_NS, results::add, 0);
        GetRequestReq question = recorder.sent(GetRequestReq.class).get(0);
        assertThat(question.userRid()).isEqualTo("mine");
        assertThat(control.onAnswer(found(question.rid(), "tokenizer 1", "sequences", "theirs"), 1))
                .isTrue();
        assertThat(results).isEmpty();
        assertThat(control.onAnswer(found(question.rid(), "controller", "decisions", "why"), 1))
                .isTrue();
        assertThat(results)
                .containsExactly(new Control.Found(List.of("own", "theirs"), List.of("why"), false, List.of()));
    }

    @Test
    void shouldNameWhoDidNotTellOfARequest() {
        List<Control.Found> results = new ArrayList<>();
        control.find("mine", own(), LIMIT_NS, results::add, 0);
        String rid = recorder.sent(GetRequestReq.class).get(0).rid();
        control.onAnswer(found(rid, "controller", "decisions", "why"), 1);
        calls.tick(LIMIT_NS);
        assertThat(results)
                .containsExactly(new Control.Found(List.of(), List.of("why"), false, List.of("tokenizer 1")));
    }

    @Test
    void shouldNotWaitForSglangsController() {
        Control alone = new Control(
                new Control.Worker(0, "tcp://127.0.0.1:9", 0, 2, 1), ranks, recorder, calls, () -> Map.of());
        List<Control.Found> results = new ArrayList<>();
        alone.find("mine", own("own"), LIMIT_NS, results::add, 0);
        assertThat(results).containsExactly(new Control.Found(List.of("own"), List.of(), false, List.of()));
        assertThat(recorder.sent(GetRequestReq.class)).isEmpty();
    }

    @Test
    void shouldAskSglangsRanksForNothingTheyDoNotKnowAndTakeTheirNamelessAnswers() {
        ranks.onUp(up(0, 0));
        ranks.onUp(up(1, 0));
        List<Control.Loads> loads = new ArrayList<>();
        control.loads(LIMIT_NS, loads::add, 0);
        assertThat(loads).as("no rank that could answer").hasSize(1);

        List<ControlCalls.Result> flushed = new ArrayList<>();
        control.flushCache(null, LIMIT_NS, flushed::add, 0);
        FlushCacheReqOutput nameless = new FlushCacheReqOutput(null, null, true, "", null);
        assertThat(control.onAnswer(nameless, 1)).isTrue();
        assertThat(control.onAnswer(nameless, 1)).isTrue();
        assertThat(control.onAnswer(nameless, 1)).isFalse();
        assertThat(flushed.get(0).answers()).containsOnlyKeys("rank 0", "rank 1");
    }

    @Test
    void shouldCountAnSglangControllersRanksAsUp() {
        ranks.takeForUp(0);
        assertThat(ranks.live()).containsExactly(0, 1, 2);
        assertThat(ranks.registered()).isEmpty();
        assertThat(ranks.missing()).isEmpty();
        assertThat(ranks.controllerAlive(1)).isTrue();
    }

    @Test
    void shouldNameWhoDidNotAnswerInTime() {
        ranks.onUp(up(0, 1));
        ranks.onUp(up(2, 1));
        List<Control.Loads> results = new ArrayList<>();
        control.loads(LIMIT_NS, results::add, 0);
        control.onAnswer(load(2, recorder.sent(GetLoadReqInput.class).get(0).rid()), 1);
        calls.tick(LIMIT_NS - 1);
        assertThat(results).isEmpty();
        calls.tick(LIMIT_NS);
        assertThat(results.get(0).missing()).containsExactly("rank 0");
        assertThat(control.size()).isZero();
    }

    @Test
    void shouldHaveOneCallOfAKindInFlight() {
        ranks.onUp(up(0, 1));
        List<Control.Loads> results = new ArrayList<>();
        control.loads(LIMIT_NS, results::add, 0);
        control.loads(LIMIT_NS, results::add, 0);
        assertThat(recorder.sent(GetLoadReqInput.class)).hasSize(1);
        assertThat(control.size()).isEqualTo(2);
        control.onAnswer(load(0, recorder.sent(GetLoadReqInput.class).get(0).rid()), 5);
        assertThat(results).hasSize(1);
        assertThat(recorder.sent(GetLoadReqInput.class)).hasSize(2);
        control.onAnswer(load(0, recorder.sent(GetLoadReqInput.class).get(1).rid()), 6);
        assertThat(results).hasSize(2);
    }

    @Test
    void shouldAskEveryOtherProcessForItsStateAndAddItsOwn() {
        ranks.onUp(up(1, 1));
        List<Control.States> results = new ArrayList<>();
        control.states(LIMIT_NS, results::add, 0);
        assertThat(recorder.sent(GetInternalStateReq.class))
                .as("controller and detokenizers")
                .hasSize(2);
        String rid = recorder.sent(GetInternalStateReq.class).get(0).rid();
        for (Map<String, Object> state : List.of(
                Map.<String, Object>of("role", "controller", "index", 0L),
                Map.<String, Object>of("role", "tokenizer", "index", 1L),
                Map.<String, Object>of("role", "scheduler", "index", 1L))) {
            assertThat(control.onAnswer(new GetInternalStateReqOutput(rid, null, state), 1))
                    .isTrue();
        }
        calls.tick(LIMIT_NS);
        assertThat(results.get(0).states()).hasSize(4);
        assertThat(results.get(0).missing()).containsExactly("detokenizer 0");
    }

    @Test
    void shouldAnswerAnotherWorkerThroughTheController() {
        control.onStateQuestion(new GetInternalStateReq("theirs", "tcp://127.0.0.1:8"));
        GetInternalStateReqOutput answer =
                recorder.sent(GetInternalStateReqOutput.class).get(0);
        assertThat(answer.rid()).isEqualTo("theirs");
        assertThat(answer.httpWorkerIpc()).isEqualTo("tcp://127.0.0.1:8");
    }

    @Test
    void shouldHearEveryRankOfAFlush() {
        ranks.onUp(up(0, 1));
        ranks.onUp(up(1, 1));
        List<ControlCalls.Result> results = new ArrayList<>();
        control.flushCache(null, LIMIT_NS, results::add, 0);
        control.onAnswer(new FlushCacheReqOutput(null, null, true, "", 0), 1);
        control.onAnswer(new FlushCacheReqOutput(null, null, false, "busy", 1), 1);
        assertThat(results.get(0).answers()).containsOnlyKeys("rank 0", "rank 1");
    }

    @Test
    void shouldKnowTheRanksFromTheControllersNotices() {
        assertThat(ranks.controllerAlive(0)).isFalse();
        ranks.onHello(new ControllerHello(5, 1), 100);
        ranks.onUp(up(0, 10));
        ranks.onUp(up(2, 20));
        assertThat(ranks.live()).containsExactly(0, 2);
        assertThat(ranks.missing()).containsExactly(1);
        assertThat(ranks.info("max_total_num_tokens")).isEqualTo(100);
        ranks.onDown(new RankDown(2, 19, "an older life", new String[0]));
        assertThat(ranks.live()).containsExactly(0, 2);
        ranks.onDown(new RankDown(2, 20, "gone", new String[0]));
        assertThat(ranks.live()).containsExactly(0);
        assertThat(ranks.controllerAlive(100 + RankStates.CONTROLLER_TIMEOUT_NS))
                .isTrue();
        assertThat(ranks.controllerAlive(101 + RankStates.CONTROLLER_TIMEOUT_NS))
                .isFalse();
        ranks.onHello(new ControllerHello(6, 1), 200);
        assertThat(ranks.live())
                .as("a restarted controller names its ranks anew")
                .isEmpty();
    }
}
