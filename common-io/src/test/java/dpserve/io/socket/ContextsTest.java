package dpserve.io.socket;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import org.junit.jupiter.api.Test;
import zmq.ZError;

class ContextsTest {
    @Test
    void shouldTellALateWakeUpFromARealFailure() {
        assertThat(Contexts.isLateWakeUp(failure(new ClosedChannelException(), "zmq.Signaler", "send")))
                .isTrue();
        assertThat(Contexts.isLateWakeUp(failure(new ClosedChannelException(), "zmq.io.StreamEngine", "write")))
                .isFalse();
        assertThat(Contexts.isLateWakeUp(failure(new IOException("no space"), "zmq.Signaler", "send")))
                .isFalse();
        assertThat(Contexts.isLateWakeUp(new IllegalStateException())).isFalse();
    }

    private static ZError.IOException failure(IOException cause, String className, String method) {
        ZError.IOException e = new ZError.IOException(cause);
        e.setStackTrace(new StackTraceElement[] {new StackTraceElement(className, method, null, 1)});
        return e;
    }
}
