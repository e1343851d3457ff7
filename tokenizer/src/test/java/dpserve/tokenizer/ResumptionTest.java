package dpserve.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.io.WireRid;
import dpserve.io.message.AbortReq;
import dpserve.io.message.BatchStrOutput;
import dpserve.io.message.DropState;
import dpserve.io.message.EndNotice;
import dpserve.io.message.FinishReason;
import dpserve.io.message.RankDown;
import dpserve.io.message.SamplingParams;
import dpserve.io.message.TokenizedGenerateReqInput;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A sequence whose attempt is lost goes on where it stood, and its client sees nothing of it. */
class ResumptionTest {
    private static final long S = 1_000_000_000L;

    private long nowNs;

    private static final int EOS = 99;

    private final Recorder recorder = new Recorder();
    private TokenizerManager manager = manager(OnRankFailure.RESUME);

    private TokenizerManager manager(OnRankFailure mode) {
        return new TokenizerManager(
                "tcp://127.0.0.1:9",
                77,
                recorder,
                recorder,
                new Resumption(mode, EOS),
                new Deadlines(60),
                ns -> ns / 1e9);
    }

    private SequenceState submit(SamplingParams params) {
        SequenceSpec spec = new SequenceSpec("u", new int[] {1, 2, 3}, params, true, SequenceSpec.Routing.toRank(1));
        return manager.submit(spec, recorder.listener(), 0, 0);
    }

    private TokenizedGenerateReqInput newest() {
        List<TokenizedGenerateReqInput> all = recorder.sent(TokenizedGenerateReqInput.class);
        return all.get(all.size() - 1);
    }

    private void output(String text, int completionOfAttempt, FinishReason reason, int... ids) {
        output(newest().rid(), text, completionOfAttempt, reason, ids);
    }

    private void output(String rid, String text, int completionOfAttempt, FinishReason reason, int... ids) {
        manager.onBatch(
                new BatchStrOutput(
                        new String[] {rid},
                        null,
                        new FinishReason[] {reason},
                        new String[] {text},
                        new int[][] {ids},
                        new int[] {3},
                        new int[] {completionOfAttempt},
                        new int[1],
                        new int[] {2},
                        new int[1],
                        new Integer[] {1},
                        null),
                1);
    }

    private void rankDies() {
        rankDies(S);
    }

    /** @param afterNs since the last one died */
    private void rankDies(long afterNs) {
        nowNs += afterNs;
        manager.onRankDown(new RankDown(1, 5, "no heartbeat", new String[] {newest().rid()}), nowNs);
    }

    @Test
    void shouldGoOnElsewhereWithWhatWasReceived() {
        SequenceState state = submit(SamplingParams.greedy(9).withLimits(9, 4));
        String first = newest().rid();
        output("ab", 2, null, 11, 12);
        rankDies();
        TokenizedGenerateReqInput again = newest();
        assertThat(again.inputIds()).containsExactly(1, 2, 3, 11, 12);
        assertThat(again.resumed()).isEqualTo(2);
        assertThat(again.samplingParams().maxNewTokens()).isEqualTo(7);
        assertThat(again.samplingParams().minNewTokens()).isEqualTo(2);
        assertThat(again.routedDpRank()).isEqualTo(1);
        assertThat(WireRid.parse(again.rid())).isEqualTo(new WireRid("u", 77, 0, 1));
        assertThat(recorder.sent(DropState.class))
                .singleElement()
                .satisfies(d -> assertThat(d.rids()).containsExactly(first));
        assertThat(recorder.sent(EndNotice.class))
                .as("the controller ended it with the rank")
                .isEmpty();
        assertThat(recorder.resumed).isEqualTo(1);

        // The new attempt's text begins at the prompt again; only what follows is new.
        output("abc", 1, null, 13);
        output("d", 2, new FinishReason.Length(2), 14);
        assertThat(recorder.heard()).containsExactly("heard:u:ab", "heard:u:c", "heard:u:d:length");
        assertThat(state.text().toString()).isEqualTo("abcd");
        assertThat(state.finishReason()).isEqualTo(new FinishReason.Length(4));
        assertThat(state.promptTokens()).isEqualTo(3);
        assertThat(state.received()).containsExactly(11, 12, 13, 14);
        assertThat(manager.size()).isZero();
        assertThat(recorder.sent(EndNotice.class)).hasSize(1);
    }

    @Test
    void shouldDropRepeatedTextThatComesInPieces() {
        SequenceState state = submit(SamplingParams.greedy(9));
        output("abcd", 4, null, 1, 2, 3, 4);
        rankDies();
        output("ab", 0, null);
        output("cde", 1, null, 5);
        assertThat(state.text().toString()).isEqualTo("abcde");
        assertThat(recorder.heard()).containsExactly("heard:u:abcd", "heard:u:", "heard:u:e");
    }

    @Test
    void shouldNotMixInWhatAGhostStillSays() {
        submit(SamplingParams.greedy(9));
        String ghost = newest().rid();
        output("a", 1, null, 11);
        rankDies();
        output(ghost, "b", 2, null, 12);
        output(ghost, "c", 3, new FinishReason.Length(3), 13);
        assertThat(recorder.heard()).containsExactly("heard:u:a");
        assertThat(recorder.unknownRids).isEqualTo(2);
        assertThat(manager.size()).isEqualTo(1);
    }

    @Test
    void shouldSendAgainWhatHadNoOutputYet() {
        submit(SamplingParams.greedy(9));
        rankDies();
        assertThat(newest().inputIds()).containsExactly(1, 2, 3);
        assertThat(newest().resumed()).isZero();
        assertThat(newest().samplingParams().maxNewTokens()).isEqualTo(9);
    }

    @Test
    void shouldEndHereWhatLacksOnlyItsEnd() {
        submit(SamplingParams.greedy(2));
        output("ab", 2, null, 11, 12);
        rankDies();
        submit(SamplingParams.greedy(9));
        output("c", 1, null, EOS);
        rankDies();
        assertThat(recorder.heard()).containsExactly("heard:u:ab", "heard:u::length", "heard:u:c", "heard:u::stop");
        assertThat(recorder.resumed).isZero();
    }

    @Test
    void shouldNotTakeEosForTheEndWhereItIsIgnored() {
        submit(SamplingParams.greedy(9).ignoringEos());
        output("c", 1, null, EOS);
        rankDies();
        assertThat(recorder.resumed).isEqualTo(1);
    }

    @Test
    void shouldNotBlameARequestForRanksThatAreCutOffTogether() {
        submit(SamplingParams.greedy(9));
        rankDies();
        rankDies(S / 15);
        rankDies(S / 15);
        rankDies(S / 15);
        assertThat(recorder.resumed).isEqualTo(4);
        assertThat(recorder.ended).isEmpty();
        rankDies();
        rankDies();
        assertThat(recorder.ended).as("the third death that it may have caused").hasSize(1);
    }

    @Test
    void shouldGiveUpARequestThatMayBeTheKiller() {
        submit(SamplingParams.greedy(9));
        rankDies();
        rankDies();
        rankDies();
        assertThat(recorder.resumed).isEqualTo(2);
        assertThat(recorder.ended)
                .singleElement()
                .satisfies(state -> assertThat(((FinishReason.Abort) state.finishReason()).message())
                        .contains("DP rank 1 is down (no heartbeat), the 3rd that held this request"));
        assertThat(manager.size()).isZero();
    }

    @Test
    void shouldNotReviveWhatNobodyWants() {
        SequenceState left = submit(SamplingParams.greedy(9));
        manager.clientGone(left);
        rankDies();
        submit(SamplingParams.greedy(9));
        manager.abortByUser("u", false);
        rankDies();
        assertThat(recorder.resumed).isZero();
        assertThat(manager.size()).isZero();
        assertThat(recorder.ended).hasSize(2);
        assertThat(recorder.heard()).containsExactly("heard:u::abort");
    }

    @Test
    void shouldFailAtOnceWhereThatIsAskedFor() {
        manager = manager(OnRankFailure.FAIL);
        submit(SamplingParams.greedy(9));
        rankDies();
        assertThat(recorder.resumed).isZero();
        assertThat(recorder.heard()).containsExactly("heard:u::abort");
    }

    @Test
    void shouldBeginAnewAfterAGap() {
        SequenceState state = submit(SamplingParams.greedy(9));
        String first = newest().rid();
        output("a", 1, null, 11);
        output("c", 3, null, 13);
        assertThat(recorder.gaps).isEqualTo(1);
        assertThat(recorder.sent(AbortReq.class))
                .singleElement()
                .satisfies(a -> assertThat(a.rid()).isEqualTo(first));
        assertThat(recorder.sent(EndNotice.class))
                .singleElement()
                .satisfies(e -> assertThat(e.rids()).containsExactly(first));
        assertThat(newest().inputIds()).containsExactly(1, 2, 3, 11);
        output("ab", 1, new FinishReason.Length(1), 12);
        assertThat(state.text().toString()).isEqualTo("ab");
        assertThat(manager.size()).isZero();
    }

    /** What the controller was sent since the events were cleared, without the attempts' own names. */
    private List<String> stream() {
        List<String> stream = new ArrayList<>();
        for (Object event : recorder.events) {
            if (event instanceof AbortReq abort) {
                stream.add("abort " + attempt(abort.rid()));
            } else if (event instanceof EndNotice end) {
                stream.add("end "
                        + Arrays.stream(end.rids()).map(ResumptionTest::attempt).toList());
            } else if (event instanceof TokenizedGenerateReqInput request) {
                stream.add("request " + attempt(request.rid()));
            }
        }
        return stream;
    }

    private static String attempt(String rid) {
        WireRid wireRid = WireRid.parse(rid);
        return wireRid.n() + "." + wireRid.attempt();
    }

    @Test
    void shouldTellTheEndOfAnAttemptWithAGapBeforeTheNextOneIsSent() {
        SequenceState gap = submit(SamplingParams.greedy(9));
        SequenceState last = submit(SamplingParams.greedy(9));
        recorder.events.clear();
        FinishReason length = new FinishReason.Length(1);
        manager.onBatch(rows(new int[] {2, 1}, new FinishReason[] {null, length}, gap.wireRid, last.wireRid), 1);
        assertThat(stream()).containsExactly("abort 0.0", "end [0.0, 1.0]", "request 0.1");
        assertThat(recorder.heard()).containsExactly("heard:u:x:length");
    }

    @Test
    void shouldBeginAnewOnceThoughMoreOfALostAttemptIsInTheBatch() {
        String gap = submit(SamplingParams.greedy(9)).wireRid;
        recorder.events.clear();
        manager.onBatch(rows(new int[] {2, 3}, new FinishReason[2], gap, gap), 1);
        assertThat(stream()).containsExactly("abort 0.0", "end [0.0]", "request 0.1");
        assertThat(recorder.gaps).isEqualTo(1);
        assertThat(recorder.unknownRids).isEqualTo(1);
        assertThat(manager.size()).isEqualTo(1);
    }

    @Test
    void shouldTellAllEndsBeforeWhatADetokenizersSuccessorBringsAboutIsSent() {
        List<String> lost = List.of(submit(SamplingParams.greedy(9)).wireRid, submit(SamplingParams.greedy(9)).wireRid);
        recorder.events.clear();
        manager.lose(lost, Loss.OUTPUT, "Detokenizer 0 was restarted", 1);
        assertThat(stream()).containsExactly("abort 0.0", "abort 1.0", "end [0.0, 1.0]", "request 0.1", "request 1.1");
    }

    /** A token and the text "x" for each rid. */
    private static BatchStrOutput rows(int[] completions, FinishReason[] reasons, String... rids) {
        int n = rids.length;
        String[] texts = new String[n];
        int[][] ids = new int[n][];
        Arrays.fill(texts, "x");
        Arrays.fill(ids, new int[] {5});
        int[] none = new int[n];
        return new BatchStrOutput(rids, null, reasons, texts, ids, none, completions, none, none, none, null, null);
    }

    @Test
    void shouldEndWhatCannotBeSentAgain() {
        submit(SamplingParams.greedy(9));
        recorder.reachable = false;
        String rid = newest().rid();
        manager.onRankDown(new RankDown(1, 5, "gone", new String[] {rid}), 2);
        assertThat(recorder.heard()).containsExactly("heard:u::abort");
        assertThat(manager.size()).isZero();
    }

    @Test
    void shouldGoOnBehindAStopTokenThatOnlyMadeTheMinimum() {
        SamplingParams params = SamplingParams.greedy(9).withLimits(9, 2);
        submit(params);
        output("ab", 2, null, 50, EOS);
        rankDies();
        assertThat(recorder.sent(TokenizedGenerateReqInput.class)).hasSize(2);
        output("abc", 1, null, 51);
        output("abcd", 2, null, EOS);
        rankDies();
        assertThat(recorder.sent(TokenizedGenerateReqInput.class)).as("ended").hasSize(2);
    }
}
