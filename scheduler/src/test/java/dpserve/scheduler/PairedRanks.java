package dpserve.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.io.DisaggregationMode;
import dpserve.io.message.KvRoute;
import dpserve.io.message.KvRouteReq;
import dpserve.io.message.Message;
import dpserve.io.message.SamplingParams;
import dpserve.io.message.TokenizedGenerateReqInput;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/** A prefill rank and a decode rank over one clock; the bootstrap server is a map that may forget. */
final class PairedRanks {
    static final int KV_BYTES = EngineProfile.DEFAULT_KV_BYTES_PER_TOKEN;
    static final double GBPS = 400;
    static final long START_NS = 1_000_000_000L;

    private static final String PREFILL = "tcp://127.0.0.1:6001";
    private static final String DECODE = "tcp://127.0.0.1:6002";
    private static final String BOOTSTRAP = "tcp://127.0.0.1:6003";

    private record Frame(String to, Message message) {}

    final TestRank prefill;
    final TestRank decode;
    private final Deque<Frame> frames = new ArrayDeque<>();
    private final Map<Long, KvRoute> routes = new HashMap<>();
    private final Map<Class<?>, Integer> sent = new HashMap<>();
    private final Map<Class<?>, UnaryOperator<Message>> changes = new HashMap<>();
    private Predicate<Message> lost = m -> false;

    PairedRanks() {
        this(config -> {});
    }

    PairedRanks(Consumer<TestConfig> decodeConfig) {
        prefill = rank(DisaggregationMode.PREFILL, PREFILL, config -> {}, simulated());
        decode = rank(DisaggregationMode.DECODE, DECODE, decodeConfig, simulated());
    }

    PairedRanks(Engine prefilling, Engine decoding) {
        prefill = rank(DisaggregationMode.PREFILL, PREFILL, config -> {}, prefilling);
        decode = rank(DisaggregationMode.DECODE, DECODE, config -> {}, decoding);
    }

    private static Engine simulated() {
        return new SimulatedEngine(Expected.MODEL, EngineProfile.defaultProfile());
    }

    private TestRank rank(DisaggregationMode mode, String endpoint, Consumer<TestConfig> change, Engine engine) {
        TestConfig config = new TestConfig();
        change.accept(config);
        Disaggregation half = new Disaggregation(
                mode,
                endpoint,
                mode == DisaggregationMode.PREFILL ? BOOTSTRAP : null,
                Set.of(BOOTSTRAP),
                Disaggregation.nsPerByte(GBPS, 1),
                64,
                20_000);
        return new TestRank(config, engine, half, this::send);
    }

    private void send(String to, Message message) {
        sent.merge(message.getClass(), 1, Integer::sum);
        if (!lost.test(message)) {
            frames.add(new Frame(
                    to, changes.getOrDefault(message.getClass(), m -> m).apply(message)));
        }
    }

    int sent(Class<? extends Message> kind) {
        return sent.getOrDefault(kind, 0);
    }

    void lose(Predicate<Message> which) {
        lost = which;
    }

    <M extends Message> void change(Class<M> kind, UnaryOperator<M> how) {
        changes.put(kind, m -> how.apply(kind.cast(m)));
    }

    static Predicate<Message> firstOfEachKind() {
        Set<Class<?>> seen = new HashSet<>();
        return m -> seen.add(m.getClass());
    }

    void request(String rid, long room, int[] prompt, SamplingParams params) {
        onlyTo(prefill, rid, room, prompt, params);
        onlyTo(decode, rid, room, prompt, params);
    }

    void onlyTo(TestRank rank, String rid, long room, int[] prompt, SamplingParams params) {
        onlyTo(rank, rid, room, prompt, params, 6003);
    }

    void onlyTo(TestRank rank, String rid, long room, int[] prompt, SamplingParams params, int bootstrapPort) {
        TokenizedGenerateReqInput in = TokenizedGenerateReqInput.of(rid, TestRank.WORKER, prompt, params, true);
        rank.send(new TokenizedGenerateReqInput(
                in.rid(),
                in.httpWorkerIpc(),
                in.inputText(),
                in.inputIds(),
                in.samplingParams(),
                in.returnLogprob(),
                in.logprobStartLen(),
                in.topLogprobsNum(),
                in.stream(),
                "127.0.0.1",
                bootstrapPort,
                room,
                null,
                null,
                null,
                null,
                null,
                0,
                0.0));
    }

    void deliverAll() {
        for (Frame frame = frames.poll(); frame != null; frame = frames.poll()) {
            if (frame.to().equals(BOOTSTRAP)) {
                onBootstrap(frame.message());
            } else {
                (frame.to().equals(PREFILL) ? prefill : decode).send(frame.message());
            }
        }
    }

    private void onBootstrap(Message message) {
        if (message instanceof KvRoute route) {
            routes.put(route.room(), route);
        } else if (message instanceof KvRouteReq question && routes.containsKey(question.room())) {
            send(question.replyTo(), routes.get(question.room()));
        }
    }

    long nowNs() {
        return Math.max(prefill.nowNs, decode.nowNs);
    }

    /** Both take a step or wait for what is due; false if both have nothing left. */
    boolean turn() {
        deliverAll();
        long now = nowNs();
        prefill.nowNs = now;
        decode.nowNs = now;
        boolean stepped = prefill.step() != null;
        stepped |= decode.step() != null;
        if (stepped || !frames.isEmpty()) {
            return true;
        }
        long due = Math.min(prefill.scheduler.nextDueNs(), decode.scheduler.nextDueNs());
        if (due == Long.MAX_VALUE) {
            return false;
        }
        prefill.nowNs = Math.max(now, due);
        decode.nowNs = prefill.nowNs;
        return true;
    }

    void runUntilIdle() {
        int turns = 0;
        while (turn()) {
            assertThat(++turns).as("turns until idle").isLessThan(1_000_000);
        }
    }

    void assertEmpty() {
        prefill.assertEmpty();
        decode.assertEmpty();
    }
}
