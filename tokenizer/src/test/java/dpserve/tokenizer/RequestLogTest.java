package dpserve.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dpserve.io.message.BatchStrOutput;
import dpserve.io.message.FinishReason;
import dpserve.io.message.RankDown;
import dpserve.io.message.SamplingParams;
import dpserve.io.message.TokenizedGenerateReqInput;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RequestLogTest {
    private static final long MS = 1_000_000L;
    private static final FinishReason LENGTH = new FinishReason.Length(2);

    private final Recorder recorder = new Recorder();
    private final TokenizerManager manager = new TokenizerManager(
            "tcp://127.0.0.1:9",
            77,
            recorder,
            recorder,
            new Resumption(OnRankFailure.FAIL, 0),
            new Deadlines(60),
            ns -> ns / 1e9);

    /** Accepted at 1 s, sent 2 ms later; returns the wire rid. */
    private String submit(String userRid) {
        SequenceSpec spec = new SequenceSpec(
                userRid, new int[] {1, 2, 3}, SamplingParams.greedy(9), true, SequenceSpec.Routing.NONE);
        manager.submit(spec, recorder.listener(), 1000 * MS, 1002 * MS);
        List<TokenizedGenerateReqInput> sent = recorder.sent(TokenizedGenerateReqInput.class);
        return sent.get(sent.size() - 1).rid();
    }

    private void output(String rid, int completion, FinishReason reason, double[] stamps, long nowNs) {
        manager.onBatch(
                new BatchStrOutput(
                        new String[] {rid},
                        null,
                        new FinishReason[] {reason},
                        new String[] {"x"},
                        new int[][] {{5}},
                        new int[1],
                        new int[] {completion},
                        new int[1],
                        new int[1],
                        new int[1],
                        new Integer[] {1},
                        null,
                        stamps == null ? null : new double[][] {stamps},
                        null),
                nowNs);
    }

    private Map<?, ?> only(String userRid, long nowNs) {
        RequestLog.Found found = manager.find(userRid, nowNs);
        assertThat(found.sequences()).hasSize(1);
        assertThat(found.truncated()).isFalse();
        return (Map<?, ?>) found.sequences().get(0);
    }

    private static void assertStages(Map<?, ?> figures, double... seconds) {
        Map<?, ?> stages = (Map<?, ?>) figures.get("stages");
        for (int i = 0; i < seconds.length; i++) {
            String name = Stages.NAMES.get(i);
            assertThat((Double) stages.get(name)).as(name).isCloseTo(seconds[i], within(1e-9));
        }
    }

    @Test
    void shouldFollowARequestFromItsFirstOutputToItsEnd() {
        String rid = submit("a");
        Map<?, ?> waiting = only("a", 1500 * MS);
        assertThat(waiting.get("state")).isEqualTo("running");
        assertThat(waiting.get("stage")).isEqualTo("dispatch");
        assertStages(waiting, 0.002, 0.498, 0, 0, 0, 0, 0, 0);

        output(rid, 1, null, new double[] {1.003, 1.004, 1.014, 1.064, 0, 1.065}, 1066 * MS);
        Map<?, ?> decoding = only("a", 1564 * MS);
        assertThat(decoding.get("stage")).isEqualTo("decode");
        assertThat(decoding.get("dp_rank")).isEqualTo(1L);
        assertThat(decoding.get("completion_tokens")).isEqualTo(1L);
        assertStages(decoding, 0.002, 0.001, 0.001, 0.010, 0.050, 0.500, 0, 0);

        output(rid, 2, LENGTH, new double[] {1.003, 1.004, 1.014, 1.064, 2.064, 2.066}, 2069 * MS);
        Map<?, ?> ended = only("a", 9999 * MS);
        assertThat(ended.get("state")).isEqualTo("ended");
        assertThat(ended.get("outcome")).isEqualTo("length");
        assertThat(ended.get("attempts")).isEqualTo(1L);
        assertThat(ended.containsKey("stage")).isFalse();
        assertStages(ended, 0.002, 0.001, 0.001, 0.010, 0.050, 1.000, 0.002, 0.003);
    }

    @Test
    void shouldSayWhyARequestFailed() {
        String rid = submit("a");
        output(rid, 1, null, new double[] {1.003, 1.004, 1.014, 1.064, 0, 1.065}, 1066 * MS);
        manager.onRankDown(new RankDown(1, 5, "no heartbeat", new String[] {rid}), 2064 * MS);
        Map<?, ?> failed = only("a", 9999 * MS);
        assertThat(failed.get("outcome")).isEqualTo("abort");
        assertThat(failed.get("status")).isEqualTo(503L);
        assertThat(String.valueOf(failed.get("message"))).contains("DP rank 1 is down");
        assertStages(failed, 0.002, 0.001, 0.001, 0.010, 0.050, 1.000, 0, 0);
    }

    @Test
    void shouldKeepTheLastTenThousand() {
        for (int i = 0; i <= RequestLog.SIZE; i++) {
            output(submit("r" + i), 1, LENGTH, null, 2000 * MS);
        }
        assertThat(manager.find("r0", 0).sequences()).isEmpty();
        assertThat(manager.find("r1", 0).sequences()).hasSize(1);
        assertThat(manager.find("r" + RequestLog.SIZE, 0).sequences()).hasSize(1);
    }

    /** The i-th of a rid ends i ms after it was sent, all of it in the stage dispatch. */
    private void end(String userRid, int i) {
        output(submit(userRid), 1, LENGTH, null, (1002 + i) * MS);
    }

    private static long dispatchMs(Object figures) {
        return Math.round(1000 * (Double) ((Map<?, ?>) ((Map<?, ?>) figures).get("stages")).get("dispatch"));
    }

    @Test
    void shouldTellTheNewestHundredOfARid() {
        for (int i = 0; i < 100; i++) {
            end("r", i);
            end("other", i);
        }
        assertThat(manager.find("r", 0).sequences()).hasSize(100);
        assertThat(manager.find("r", 0).truncated()).isFalse();
        end("r", 100);
        submit("r");
        submit("r");
        RequestLog.Found found = manager.find("r", 1502 * MS);
        assertThat(found.truncated()).isTrue();
        assertThat(found.sequences())
                .hasSize(100)
                .extracting(RequestLogTest::dispatchMs)
                .startsWith(3L, 4L)
                .endsWith(99L, 100L, 500L, 500L);
    }

    @Test
    void shouldTellTheNewestOfWhatRuns() {
        for (int i = 0; i < RequestLog.MOST_OF_A_RID + 3; i++) {
            SequenceSpec spec =
                    new SequenceSpec("r", new int[i + 1], SamplingParams.greedy(9), true, SequenceSpec.Routing.NONE);
            manager.submit(spec, recorder.listener(), 1000 * MS + i, 1000 * MS + i);
        }
        RequestLog.Found found = manager.find("r", 2000 * MS);
        assertThat(found.truncated()).isTrue();
        assertThat(found.sequences())
                .hasSize(100)
                .extracting(f -> (Long) ((Map<?, ?>) f).get("prompt_tokens"))
                .startsWith(4L, 5L)
                .endsWith(102L, 103L);
    }
}
