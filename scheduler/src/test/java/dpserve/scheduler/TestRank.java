package dpserve.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.io.message.AbortReq;
import dpserve.io.message.BatchTokenIDOutput;
import dpserve.io.message.FinishReason;
import dpserve.io.message.GetLoadReqOutput;
import dpserve.io.message.Message;
import dpserve.io.message.SamplingParams;
import dpserve.io.message.TokenizedGenerateReqInput;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;

/** A scheduler with the simulated engine in virtual time; keeps all it says and checks what always holds. */
final class TestRank implements SchedulerOutput {
    static final String WORKER = "tcp://127.0.0.1:5000";
    static final long INCARNATION = 77;

    /** What has been emitted of one request. */
    static final class Reply {
        int[] ids = {};
        int[] decodeIds = {};
        int readOffset = -1;
        int emissions;
        int cachedTokens;
        int promptTokens;
        int retractions;
        FinishReason reason;
        AbortReq abort;

        boolean isEnded() {
            return reason != null || abort != null;
        }
    }

    final SchedulerConfig config;
    final Scheduler scheduler;
    final Engine engine;
    final Map<String, Reply> replies = new HashMap<>();
    final List<Message> answers = new ArrayList<>();
    final List<GetLoadReqOutput> reports = new ArrayList<>();
    final List<BatchTokenIDOutput> parts = new ArrayList<>();
    final List<Batch> batches = new ArrayList<>();
    final List<String> lines = new ArrayList<>();
    final List<String> warnings = new ArrayList<>();
    long nowNs = 1_000_000_000L;

    TestRank(TestConfig config) {
        this(config, null, null);
    }

    /** One half of a PD pair, or a whole rank with null for both. */
    TestRank(TestConfig config, Disaggregation disaggregation, KvOutput kv) {
        this(config, new SimulatedEngine(Expected.MODEL, EngineProfile.defaultProfile()), disaggregation, kv);
    }

    TestRank(TestConfig config, Engine engine, Disaggregation disaggregation, KvOutput kv) {
        this.config = config.build();
        this.engine = engine;
        this.scheduler = disaggregation == null
                ? new Scheduler(this.config, engine, this, INCARNATION)
                : new Scheduler(this.config, new PdHalf(disaggregation, engine, kv), this, INCARNATION);
    }

    void request(String rid, int[] prompt, SamplingParams params) {
        send(TokenizedGenerateReqInput.of(rid, WORKER, prompt, params, true));
    }

    void send(Message message) {
        assertThat(scheduler.onMessage(message, nowNs)).isTrue();
    }

    void request(String rid, int[] prompt, int maxNewTokens) {
        request(rid, prompt, Params.tokens(maxNewTokens));
    }

    /** A prompt that shares no prefix with one of another number. */
    static int[] prompt(int number, int length) {
        int[] ids = new int[length];
        for (int i = 0; i < length; i++) {
            ids[i] = 1000 * number + i;
        }
        return ids;
    }

    /** The last step as "rid[from,to)" for each of its requests. */
    static String describe(Batch batch) {
        StringBuilder b = new StringBuilder(batch.mode().toString());
        for (int i = 0; i < batch.size(); i++) {
            b.append(' ').append(batch.request(i).rid());
            b.append('[').append(batch.from(i)).append(',').append(batch.to(i)).append(')');
        }
        return b.toString();
    }

    String describeStep() {
        Batch batch = step();
        return batch == null ? "idle" : describe(batch);
    }

    /** The output of a prompt with ignore_eos. */
    static int[] expected(int[] prompt, int maxNewTokens) {
        return Expected.MODEL.expectedOutput(prompt, maxNewTokens, 0, true);
    }

    GetLoadReqOutput lastReport() {
        return reports.get(reports.size() - 1);
    }

    long table(String name) {
        return (Long) scheduler.tables().get(name);
    }

    long counter(String name) {
        return (Long) scheduler.counters().get(name);
    }

    void abort(String rid) {
        send(AbortReq.of(rid, WORKER));
    }

    /** One step; null if idle. */
    Batch step() {
        Batch batch = scheduler.nextBatch(nowNs);
        if (batch != null) {
            batches.add(batch);
            StepResult result = engine.run(batch);
            nowNs += result.durationNs();
            scheduler.onStepFinished(batch, result, nowNs);
        }
        return batch;
    }

    void runUntilIdle() {
        int steps = 0;
        while (step() != null) {
            assertThat(++steps).as("steps until idle").isLessThan(1_000_000);
        }
    }

    Reply reply(String rid) {
        return replies.computeIfAbsent(rid, r -> new Reply());
    }

    /** Everything that must be empty is, and nothing was ever wrong. */
    void assertEmpty() {
        scheduler.tables().forEach((name, size) -> assertThat(size).as(name).isEqualTo(0L));
        assertThat(scheduler.counters().get("self_check_failures")).isEqualTo(0L);
        assertThat(scheduler.heldCount()).isZero();
        assertThat(scheduler.heldHash()).isZero();
        assertThat(scheduler.counters().get("received_reqs"))
                .isEqualTo(scheduler.counters().get("ended_reqs"));
        GetLoadReqOutput last = reports.get(reports.size() - 1);
        assertThat(last.numReqs()).isZero();
        assertThat(last.numTokens()).isZero();
        assertThat(last.numOutputTokens()).isZero();
        assertThat(last.receivedReqs()).isEqualTo(last.endedReqs());
        assertThat(last.receivedTokens()).isEqualTo(last.endedTokens());
    }

    private static int[] concat(int[] a, int[] b) {
        int[] both = Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, both, a.length, b.length);
        return both;
    }

    @Override
    public void toDetokenizer(int index, BatchTokenIDOutput part) {
        parts.add(part);
        if (part.size() == 0) {
            assertThat(index).isZero();
            assertThat(part.load()).isNotNull();
        }
        if (part.load() != null) {
            if (!reports.isEmpty() && lastReport().incarnation() == part.load().incarnation()) {
                assertThat(part.load().seq())
                        .isGreaterThan(reports.get(reports.size() - 1).seq());
            }
            reports.add(part.load());
        }
        for (int i = 0; i < part.size(); i++) {
            Reply r = reply(part.rids()[i]);
            assertThat(r.isEnded())
                    .as("nothing follows the end of %s", part.rids()[i])
                    .isFalse();
            CRC32 crc = new CRC32();
            crc.update(part.rids()[i].getBytes(StandardCharsets.UTF_8));
            assertThat((int) (crc.getValue() % config.detokenizers())).isEqualTo(index);
            assertThat(part.httpWorkerIpcs()[i]).isEqualTo(WORKER);
            assertThat(part.dpRanks()[i]).isEqualTo(config.dpRank());
            if (r.emissions == 0) {
                r.readOffset = part.readOffsets()[i];
            } else {
                assertThat(part.decodeIds()[i]).isEqualTo(part.outputIds()[i]);
            }
            r.emissions++;
            r.ids = concat(r.ids, part.outputIds()[i]);
            r.decodeIds = concat(r.decodeIds, part.decodeIds()[i]);
            assertThat(part.completionTokens()[i]).isEqualTo(r.ids.length);
            r.reason = part.finishedReasons()[i];
            r.cachedTokens = part.cachedTokens()[i];
            r.promptTokens = part.promptTokens()[i];
            r.retractions = part.retractionCounts()[i];
        }
    }

    @Override
    public void toTokenizer(String httpWorkerIpc, Message message) {
        assertThat(httpWorkerIpc).isEqualTo(WORKER);
        if (message instanceof AbortReq abort) {
            Reply r = reply(abort.rid());
            assertThat(r.isEnded() || r.emissions > 0)
                    .as("a direct AbortReq is for what never emitted: %s", abort.rid())
                    .isFalse();
            r.abort = abort;
        }
        answers.add(message);
    }

    @Override
    public void info(String line) {
        lines.add(line);
    }

    @Override
    public void warn(String kind, String detail) {
        warnings.add(kind + ": " + detail);
    }
}
