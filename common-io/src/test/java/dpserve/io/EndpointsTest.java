package dpserve.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class EndpointsTest {

    @Test
    void shouldLayOutPortsAsTheProtocolSays() {
        Endpoints e = Endpoints.of("127.0.0.1", 30_000, 3, 2);
        assertThat(e.tokenizerPull())
                .containsExactly("tcp://127.0.0.1:30234", "tcp://127.0.0.1:30242", "tcp://127.0.0.1:30244");
        assertThat(e.tokenizerPush())
                .containsExactly("tcp://127.0.0.1:30238", "tcp://127.0.0.1:30243", "tcp://127.0.0.1:30245");
        assertThat(e.detokenizer()).containsExactly("tcp://127.0.0.1:30235", "tcp://127.0.0.1:30335");
        assertThat(e.controller()).isEqualTo("tcp://127.0.0.1:30239");
    }

    @Test
    void shouldGoBelowThePortWhenThereIsNoRoomAbove() {
        assertThat(Endpoints.of("127.0.0.1", 64_800, 1, 1).controller()).isEqualTo("tcp://127.0.0.1:64571");
    }

    @Test
    void shouldNeverUseAPortTwice() {
        Endpoints e = Endpoints.of("h", 30_000, Endpoints.MAX_TOKENIZERS, Endpoints.MAX_DETOKENIZERS);
        Set<String> all = new HashSet<>();
        for (List<String> part : List.of(e.tokenizerPull(), e.tokenizerPush(), e.detokenizer())) {
            part.forEach(endpoint -> assertThat(all.add(endpoint)).as(endpoint).isTrue());
        }
        assertThat(all).doesNotContain(e.controller());
    }

    @Test
    void shouldNameTheFlagThatIsOutOfRange() {
        assertThatThrownBy(() -> Endpoints.of("h", 30_000, 0, 1)).hasMessageContaining("--tokenizer-worker-num");
        assertThatThrownBy(() -> Endpoints.of("h", 70_000, 1, 1)).hasMessageContaining("--port");
    }

    @Test
    void shouldExplainWhyIpcIsRefused() {
        assertThatThrownBy(() -> Endpoints.requireTcp("--controller-endpoint", "ipc:///tmp/x"))
                .hasMessageContaining("--controller-endpoint")
                .hasMessageContaining("tcp://");
        assertThatThrownBy(() -> Endpoints.requireTcp("--f", "tcp://h:99999")).hasMessageContaining("port");
        assertThat(Endpoints.requireTcp("--f", "tcp://h:*")).isEqualTo("tcp://h:*");
    }

    @Test
    void shouldNameTheVariableThatIsNotANumber() {
        Env env = new Env(Map.of("SGLANG_X", "abc", "SGLANG_Y", "5"));
        assertThatThrownBy(() -> env.integer("SGLANG_X", 1, 0, 10)).hasMessageContaining("SGLANG_X");
        assertThatThrownBy(() -> env.integer("SGLANG_Y", 1, 0, 4)).hasMessageContaining("0 to 4");
        assertThat(env.integer("SGLANG_Y", 1, 0, 10)).isEqualTo(5);
        assertThat(env.integer("SGLANG_Z", 7, 0, 10)).isEqualTo(7);
    }

    @Test
    void shouldAnnounceNoAddressThatNobodyCanConnectTo() {
        for (String everywhere : List.of("tcp://0.0.0.0:*", "tcp://*:5", "tcp://[::]:5")) {
            assertThatThrownBy(() -> Endpoints.requireReachable("--input-endpoint", everywhere))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("--input-endpoint")
                    .hasMessageContaining("they can reach");
        }
        assertThat(Endpoints.requireReachable("--input-endpoint", "tcp://10.1.2.3:*"))
                .isEqualTo("tcp://10.1.2.3:*");
    }

    @Test
    void shouldNeverReuseAnIncarnation() {
        Incarnation incarnation = new Incarnation();
        long first = incarnation.next(1000);
        assertThat(first).isEqualTo(1000);
        assertThat(incarnation.next(1000)).isEqualTo(1001);
        assertThat(incarnation.next(500)).isEqualTo(1002);
        assertThat(incarnation.next(5000)).isEqualTo(5000);
    }

    @Test
    void shouldGiveWorkersThatStartTogetherDifferentIncarnations() {
        Set<Long> seen = new HashSet<>();
        for (int worker = 0; worker < Endpoints.MAX_TOKENIZERS; worker++) {
            assertThat(seen.add(Incarnation.ofWorker(1_795_421_762_601L, worker)))
                    .isTrue();
        }
    }

    @Test
    void shouldNeverGiveTwoWorkersTheSameIncarnationWheneverTheyStart() {
        for (long ms = 1_795_421_762_500L; ms < 1_795_421_762_700L; ms++) {
            assertThat(Incarnation.ofWorker(ms, 3)).isNotEqualTo(Incarnation.ofWorker(1_795_421_762_600L, 5));
            assertThat(Incarnation.ofWorker(ms, 3)).isBetween(ms - 63, ms + 63);
        }
    }

    @Test
    void shouldGiveTheSuccessorOfAWorkerAHigherIncarnation() {
        for (long ms = 1_795_421_762_500L; ms < 1_795_421_762_700L; ms++) {
            assertThat(Incarnation.ofWorker(ms + Incarnation.WORKER_RESOLUTION_MS, 46))
                    .isGreaterThan(Incarnation.ofWorker(ms, 46));
        }
    }

    @Test
    void shouldRefuseAWorkerThatItCannotTellFromOthers() {
        assertThatThrownBy(() -> Incarnation.ofWorker(1000, 64)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> Incarnation.ofWorker(1000, -1)).isInstanceOf(IndexOutOfBoundsException.class);
    }
}
