package dpserve.controller.decision;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dpserve.controller.LoadView;
import dpserve.controller.RidMap;
import dpserve.controller.policy.DispatchPolicy;
import dpserve.controller.policy.Policies;
import dpserve.controller.policy.RequestInfo;
import dpserve.io.message.GetLoadReqOutput;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.msgpack.core.MessagePack;

class DecisionReplayTest {
    private static final int RANKS = 5;
    private static final int DECISIONS = 2000;
    private static final Policies.Settings SETTINGS = new Policies.Settings(0.5, 2, 7);

    private final ByteArrayOutputStream file = new ByteArrayOutputStream();
    private final DecisionCodec codec = new DecisionCodec();
    private final Random random = new Random(11);
    private final RidMap rids = new RidMap();
    private final LoadView view = new LoadView(rids, RANKS);
    private final List<Integer> choices = new ArrayList<>();
    private long entries;

    static Stream<String> policies() {
        return Policies.names().stream();
    }

    /** Requests, ends, reports and deaths at random, decided by a policy and recorded. */
    private void record(String method) throws IOException {
        file.write(codec.header());
        DecisionRecording recording = new DecisionRecording(SETTINGS, ns -> ns / 1e9, this::write);
        DispatchPolicy policy = Policies.create(method, SETTINGS);
        recording.onPolicy(method, 0);
        long[] received = new long[RANKS];
        for (int r = 0; r < RANKS; r++) {
            view.register(r, 9, 0, 0);
            view.setLive(r, true);
        }
        for (int i = 0; i < DECISIONS; i++) {
            long nowNs = i * 1_000_000L;
            if (random.nextInt(3) == 0) {
                List<GetLoadReqOutput> loads = List.of(load(random.nextInt(RANKS), i, received));
                loads.forEach(load -> view.report(load, nowNs));
                recording.onReport(view, loads, nowNs);
                policy.onReport(view, loads);
            }
            int flickering = random.nextInt(RANKS);
            view.setLive(flickering, random.nextInt(4) > 0 || view.liveCount() < 2);
            String key = random.nextBoolean() ? "session " + random.nextInt(20) : null;
            long[] hashes = {random.nextInt(50), random.nextLong()};
            RequestInfo request = new RequestInfo(
                    "r" + i,
                    null,
                    1 + random.nextInt(900),
                    RequestInfo.NO_RANK,
                    random.nextInt(100),
                    key,
                    hashes,
                    true);
            int chosen = policy.choose(view, request);
            recording.onDecision(view, request, policy, chosen, nowNs);
            choices.add(chosen);
            if (chosen >= 0) {
                rids.begin(request.rid(), 0, chosen, 9, request.promptTokens());
                view.dispatched(chosen, request.promptTokens());
                received[chosen]++;
            }
            rids.end("r" + random.nextInt(i + 1));
        }
    }

    private GetLoadReqOutput load(int dpRank, long seq, long[] received) {
        int held = random.nextInt(30);
        return new GetLoadReqOutput(
                null,
                null,
                dpRank,
                held,
                held / 2,
                held * 100,
                seq / 1e3,
                9,
                seq,
                received[dpRank],
                0,
                0,
                0,
                held,
                50,
                9000,
                1.5,
                0.25,
                0);
    }

    private void write(DecisionEntry entry) {
        file.writeBytes(codec.encode(entries++, entry));
    }

    private static DecisionReplay.Result replay(byte[] bytes, String method) throws IOException {
        return new DecisionReplay(method).run(MessagePack.newDefaultUnpacker(bytes));
    }

    @ParameterizedTest
    @MethodSource("policies")
    void shouldChooseTheSameByTheSamePolicy(String method) throws IOException {
        record(method);
        DecisionReplay.Result result = replay(file.toByteArray(), null);
        assertThat(result.decisions()).isEqualTo(DECISIONS);
        assertThat(result.different()).as(result.examples().toString()).isZero();
        assertThat(result.missing()).isZero();
        assertThat(result.again()).isEqualTo(result.chosen());
        assertThat(Arrays.stream(result.chosen()).sum())
                .isEqualTo(choices.stream().filter(c -> c >= 0).count());
    }

    @Test
    void shouldShowWhereAnotherPolicyDiffers() throws IOException {
        record("round_robin");
        DecisionReplay.Result result = replay(file.toByteArray(), "least_requests");
        assertThat(result.different()).isBetween((long) DECISIONS / 4, (long) DECISIONS);
        assertThat(result.examples()).hasSize(10).first().asString().contains("now rank");
    }

    @Test
    void shouldCountWhatWasDroppedAndLeaveOutWhatIsCutOff() throws IOException {
        record("least_requests");
        byte[] whole = file.toByteArray();
        assertThat(replay(Arrays.copyOf(whole, whole.length - 3), null).decisions())
                .isEqualTo(DECISIONS - 1);
        entries += 5;
        write(new DecisionEntry.PolicySet(0, "round_robin", 1, 1, 1));
        assertThat(replay(file.toByteArray(), null).missing()).isEqualTo(5);
    }

    @Test
    void shouldKeepEveryFigureOfADecision() throws IOException {
        record("lmetric");
        var in = MessagePack.newDefaultUnpacker(file.toByteArray());
        DecisionCodec.readHeader(in);
        List<DecisionEntry.Decided> decided = new ArrayList<>();
        while (in.hasNext()) {
            if (codec.read(in).entry() instanceof DecisionEntry.Decided d) {
                decided.add(d);
            }
        }
        DecisionEntry.Decided last = decided.get(DECISIONS - 1);
        assertThat(last.request().rid()).isEqualTo("r" + (DECISIONS - 1));
        assertThat(last.atS()).isEqualTo((DECISIONS - 1) / 1e3);
        for (int r = 0; r < RANKS; r++) {
            assertThat(last.ranks().requests(r)).isPositive();
            assertThat(last.scores()[r]).isPositive();
            assertThat(last.agesMs()[r]).isBetween(0.0, 300.0);
        }
    }

    @Test
    void shouldRefuseWhatIsNoRecord() {
        assertThatThrownBy(() -> replay(new byte[] {(byte) 0x91, (byte) 0xa1, 'x'}, null))
                .isInstanceOf(IOException.class)
                .hasMessage("not a decision record");
        assertThatThrownBy(() -> replay(new byte[0], null)).hasMessage("not a decision record");
    }
}
