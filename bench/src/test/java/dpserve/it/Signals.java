package dpserve.it;

import java.io.IOException;
import java.io.UncheckedIOException;

/** Signals to processes the test started, by pid. */
final class Signals {
    private Signals() {}

    /** Sends a signal by its name without SIG. A process that is gone already is no error. */
    static void send(String signal, long pid) {
        try {
            new ProcessBuilder("bash", "-c", "kill -" + signal + " " + pid)
                    .redirectErrorStream(true)
                    .start()
                    .waitFor();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    static boolean isAlive(long pid) {
        return ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false);
    }
}
