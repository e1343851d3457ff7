package dpserve.controller.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** A reader's turn comes only when nothing would be overtaken. */
class TurnTest {
    private final Inbox inbox = new Inbox(1 << 20);
    private final Turn turn = new Turn(inbox);

    @Test
    void shouldLetAReaderInWhileNothingWaits() {
        assertThat(turn.tryEnter()).isTrue();
        assertThat(elsewhere()).as("one at a time").isFalse();
        turn.leave();
        assertThat(elsewhere()).isTrue();
    }

    @Test
    void shouldLetNoReaderOvertakeWhatWaits() {
        inbox.addStream(List.of(new Inbox.Waiting(nowNs -> {}, 1)));
        assertThat(turn.tryEnter()).isFalse();
        turn.enter();
        inbox.take(new ArrayDeque<>(), new ArrayDeque<>(), new ArrayDeque<>(), 1);
        assertThat(elsewhere()).as("taken, and not yet dealt with").isFalse();
        turn.leave();
        assertThat(turn.tryEnter()).isTrue();
        turn.leave();
    }

    private boolean elsewhere() {
        return CompletableFuture.supplyAsync(() -> {
                    boolean entered = turn.tryEnter();
                    if (entered) {
                        turn.leave();
                    }
                    return entered;
                })
                .join();
    }
}
