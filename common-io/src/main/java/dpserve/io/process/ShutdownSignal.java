package dpserve.io.process;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Turns SIGTERM and SIGINT into an orderly end: the signal releases {@link #await}, and the JVM stays until the main
 * thread has said {@link #completed} or the time given for it has passed.
 */
public final class ShutdownSignal {
    /** Longest time from the signal to the JVM's end, beyond what a process finishes by itself: a peer may be stuck. */
    public static final long GRACE_S = 20;

    private final CountDownLatch requested = new CountDownLatch(1);
    private final CountDownLatch completed = new CountDownLatch(1);

    private final long limitS;
    private volatile Runnable wish = () -> {};

    private ShutdownSignal(long limitS) {
        this.limitS = limitS;
    }

    /** Registers with the JVM; once per process. */
    public static ShutdownSignal install() {
        return install(0);
    }

    /**
     * As the other, for a process that finishes what it has.
     *
     * @param finishS longest time that this takes, seconds
     */
    public static ShutdownSignal install(long finishS) {
        ShutdownSignal signal = new ShutdownSignal(finishS + GRACE_S);
        Runtime.getRuntime().addShutdownHook(new Thread(signal::onJvmExit, "shutdown"));
        return signal;
    }

    private void onJvmExit() {
        request();
        try {
            completed.await(limitS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Asks the process to end, as a signal would. */
    public void request() {
        requested.countDown();
        wish.run();
    }

    /**
     * For a main thread that waits for something else than {@link #await}: runs this when the process is asked to end, on the thread that
     * asks; at once if it has been asked already, perhaps twice then.
     */
    public void whenRequested(Runnable wake) {
        wish = wake;
        if (isRequested()) {
            wake.run();
        }
    }

    /** Whether the process was asked to end. */
    public boolean isRequested() {
        return requested.getCount() == 0;
    }

    /** Waits until the process is asked to end. */
    public void await() throws InterruptedException {
        requested.await();
    }

    /** Everything is closed: the JVM may go. */
    public void completed() {
        completed.countDown();
    }
}
