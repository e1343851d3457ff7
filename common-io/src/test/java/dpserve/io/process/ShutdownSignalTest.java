package dpserve.io.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ShutdownSignalTest {
    private final ShutdownSignal signal = ShutdownSignal.install();
    private final AtomicInteger wakes = new AtomicInteger();

    @AfterEach
    void letTheJvmEnd() {
        signal.completed();
    }

    @Test
    void shouldWakeWhoeverWaitsForSomethingElse() {
        signal.whenRequested(wakes::incrementAndGet);
        assertThat(signal.isRequested()).isFalse();
        assertThat(wakes).hasValue(0);
        signal.request();
        assertThat(signal.isRequested()).isTrue();
        assertThat(wakes).hasValue(1);
    }

    @Test
    void shouldWakeAtOnceWhoComesTooLate() {
        signal.request();
        signal.whenRequested(wakes::incrementAndGet);
        assertThat(wakes).hasValue(1);
    }
}
