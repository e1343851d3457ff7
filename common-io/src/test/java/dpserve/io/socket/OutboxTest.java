package dpserve.io.socket;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class OutboxTest {
    private static final int MOST_BYTES = 10;

    private final Outbox outbox = new Outbox(MOST_BYTES);
    private final List<Byte> first = new ArrayList<>();
    private final List<Byte> second = new ArrayList<>();
    private int roomAtFirst;

    @BeforeEach
    void connect() {
        assertThat(outbox.add(frame -> roomAtFirst-- > 0 && first.add(frame[0])))
                .isZero();
        assertThat(outbox.add(frame -> second.add(frame[0]))).isEqualTo(1);
    }

    private static byte[] frame(int name, int length) {
        byte[] frame = new byte[length];
        frame[0] = (byte) name;
        return frame;
    }

    private boolean send(int peer, int name, int length) {
        return outbox.send(peer, frame(name, length));
    }

    @Test
    void shouldPassOnWhatAPeerTakes() {
        roomAtFirst = 2;
        assertThat(send(0, 1, 100))
                .as("larger than the bound, but nothing waits")
                .isTrue();
        assertThat(send(0, 2, 3)).isTrue();
        assertThat(first).containsExactly((byte) 1, (byte) 2);
        assertThat(outbox.flush()).isTrue();
    }

    @Test
    void shouldKeepTheOrderOfWhatWaits() {
        send(0, 1, 2);
        send(0, 2, 2);
        roomAtFirst = 1;
        send(0, 3, 2); // takes the place of none of those before it
        assertThat(first).containsExactly((byte) 1);
        assertThat(outbox.flush()).isFalse();
        roomAtFirst = 2;
        assertThat(outbox.flush()).isTrue();
        assertThat(first).containsExactly((byte) 1, (byte) 2, (byte) 3);
    }

    @Test
    void shouldRefuseWhatIsOverTheBoundAndTakeWhatFitsAgain() {
        assertThat(send(0, 1, 6)).isTrue();
        assertThat(send(0, 2, 5)).isFalse();
        assertThat(send(0, 3, 4)).as("just fits").isTrue();
        roomAtFirst = 1;
        outbox.flush();
        assertThat(send(0, 4, 6)).isTrue();
        roomAtFirst = 9;
        assertThat(outbox.flush()).isTrue();
        assertThat(first).containsExactly((byte) 1, (byte) 3, (byte) 4);
    }

    @Test
    void shouldServeOthersWhileOneStandsStill() {
        assertThat(send(0, 1, MOST_BYTES)).isTrue();
        assertThat(send(0, 2, 1)).isFalse();
        assertThat(send(1, 3, 5)).isTrue();
        assertThat(second).containsExactly((byte) 3);
    }

    @Test
    void shouldShareOneBoundAmongPeers() {
        int silent = outbox.add(frame -> false);
        assertThat(send(0, 1, 6)).isTrue();
        assertThat(send(silent, 2, 6)).isFalse();
        assertThat(send(silent, 2, 4)).isTrue();
    }
}
