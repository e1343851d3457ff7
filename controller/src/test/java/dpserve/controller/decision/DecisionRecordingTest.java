package dpserve.controller.decision;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.controller.LoadView;
import dpserve.controller.RidMap;
import dpserve.controller.policy.DispatchPolicy;
import dpserve.controller.policy.Policies;
import dpserve.controller.policy.RequestInfo;
import dpserve.io.codec.TextSpan;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class DecisionRecordingTest {
    private static final Policies.Settings SETTINGS = new Policies.Settings(1, 1, 7);

    private final List<DecisionEntry> entries = new ArrayList<>();
    private final DecisionRecording recording = new DecisionRecording(SETTINGS, ns -> ns / 1e9, entries::add);
    private final DispatchPolicy policy = Policies.create("round_robin", SETTINGS);
    private final LoadView view = new LoadView(new RidMap(), 2);

    private RequestInfo recorded(TextSpan rid) {
        long[] hashes = {4, 5};
        recording.onDecision(
                view, new RequestInfo(rid, "tcp://127.0.0.1:7000", 30, 1, 12, "key", hashes, true), policy, 1, 0);
        return ((DecisionEntry.Decided) entries.get(entries.size() - 1)).request();
    }

    @Test
    void shouldNotHoldOnToTheFrameThatTheRidLiesIn() {
        byte[] frame = new byte[1 << 20];
        byte[] rid = "user\u001f100.1.0".getBytes(StandardCharsets.UTF_8);
        System.arraycopy(rid, 0, frame, 3, rid.length);
        RequestInfo kept = recorded(new TextSpan(frame, 3, 3 + rid.length));
        assertThat(kept.rid()).isEqualTo("user\u001f100.1.0");
        assertThat(kept.ridSpan().utf8().length).isLessThan(100);
    }

    @Test
    void shouldKeepAllThatAPolicyLooksAt() {
        RequestInfo kept = recorded(null);
        assertThat(kept.rid()).isNull();
        assertThat(kept.promptTokens()).isEqualTo(30);
        assertThat(kept.bootstrapRoom()).isEqualTo(12);
        assertThat(kept.routingKey()).isEqualTo("key");
        assertThat(kept.prefixHashes()).containsExactly(4, 5);
    }
}
