package dpserve.controller.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** A reader's turn comes only when nothing would be overtaken. */
class TurnTest {
    private final Inbox inbox = new Inbox(1 << 20);
    private final Turn turn = new Turn(inbox, this::takeUrgent, this::flush);

    private static final Inbox.StreamItem NOTHING = new Inbox.StreamItem() {
        @Override
        public void deliver(long nowNs) {}

        @Override
        public int bytes() {
            return 1;
        }
    };

    private int urgent;
    private int flushes;

    @Test
    void shouldLetAReaderInWhileNothingWaits() {
        assertThat(turn.tryEnter()).isTrue();
        assertThat(elsewhere()).as("one at a time").isFalse();
        turn.leave();
        assertThat(elsewhere()).isTrue();
    }

    @Test
    void shouldLetNoReaderOvertakeWhatWaits() {
        inbox.addStream(List.of(NOTHING));
        assertThat(turn.tryEnter()).isFalse();
        turn.enter();
        inbox.takeStreams(new ArrayDeque<>(), 1);
        assertThat(elsewhere()).as("taken, and not yet dealt with").isFalse();
        turn.leave();
        assertThat(turn.tryEnter()).isTrue();
        turn.leave();
    }

    @Test
    void shouldDealWithWhatIsUrgentAtOnceOrInTheTurnThatIsTakenAlready() {
        inbox.addReports(List.of());
        CompletableFuture.runAsync(turn::serve).join();
        assertThat(urgent).as("nobody had the turn").isEqualTo(1);

        assertThat(turn.tryEnter()).isTrue();
        inbox.addReports(List.of());
        CompletableFuture.runAsync(turn::serve).join();
        assertThat(urgent)
                .as("it is another's turn, and the reader does not wait for it")
                .isEqualTo(1);
        turn.leave();
        assertThat(urgent).as("before the turn is over").isEqualTo(2);

        inbox.addReports(List.of());
        assertThat(turn.tryEnter()).isTrue();
        assertThat(urgent).as("first thing in a turn").isEqualTo(3);
        turn.leave();
    }

    @Test
    void shouldFlushAtTheEndOfEveryTurnAndNotWithin() {
        turn.enter();
        assertThat(flushes).isZero();
        turn.leave();
        assertThat(flushes).isEqualTo(1);
        assertThat(turn.tryEnter()).isTrue();
        turn.leave();
        assertThat(flushes).isEqualTo(2);
        inbox.addReports(List.of());
        turn.serve();
        assertThat(flushes).as("a turn for what is urgent").isEqualTo(3);
    }

    private void flush() {
        flushes++;
    }

    private void takeUrgent() {
        inbox.takeUrgent(new ArrayDeque<>(), new ArrayDeque<>());
        urgent++;
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
