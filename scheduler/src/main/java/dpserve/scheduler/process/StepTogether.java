package dpserve.scheduler.process;

import dpserve.io.LogLimiter;
import dpserve.io.message.ControllerHello;
import dpserve.io.message.Fenced;
import dpserve.io.message.Message;
import dpserve.io.message.RankDown;
import dpserve.io.message.RankUp;
import dpserve.io.message.ShutdownReq;
import dpserve.io.message.StepDone;
import dpserve.io.socket.BindException;
import dpserve.scheduler.Lockstep;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.zeromq.ZContext;

/** The process's part in lockstep: waits for the peers, and takes only their words while it waits. */
final class StepTogether implements AutoCloseable {
    private static final int WAIT_MS = 10;

    private final BlockingQueue<Message> messages;
    private final StepLink link;
    private final Lockstep lockstep;

    /** What came during a wait and is for the time after it, in its order. */
    private final Deque<Message> deferred = new ArrayDeque<>();

    private long epoch;

    /** @param messages the rank's input; the words of the peers are added to it */
    StepTogether(
            ZContext context,
            String bind,
            int dpRank,
            long incarnation,
            LogLimiter limiter,
            BlockingQueue<Message> messages)
            throws BindException {
        this.messages = messages;
        this.link = new StepLink(context, bind, limiter, messages::add);
        this.lockstep = new Lockstep(dpRank, incarnation, link::send);
    }

    String endpoint() {
        return link.endpoint();
    }

    void restart(long incarnation) {
        lockstep.restart(incarnation);
    }

    /** A controller of a new epoch makes the group anew, of the incarnations that register with it. */
    void onController(ControllerHello hello) {
        if (isSuccessor(hello)) {
            lockstep.leave();
        }
        epoch = hello.epoch();
    }

    private boolean isSuccessor(ControllerHello hello) {
        return epoch != 0 && hello.epoch() > epoch;
    }

    /** What came for a fenced incarnation is for nobody. */
    void forgetDeferred() {
        deferred.clear();
    }

    /**
     * Takes a message.
     *
     * @return false if it is none about steps
     */
    boolean onMessage(Message message) {
        if (message instanceof StepDone step) {
            lockstep.onStepDone(step);
        } else if (message instanceof RankUp up) {
            if (!up.stepEndpoint().equals(link.endpoint())) {
                link.connect(up);
                lockstep.onRankUp(up);
            }
        } else if (message instanceof RankDown down) {
            lockstep.onRankDown(down);
            link.disconnect(down);
        } else {
            return false;
        }
        return true;
    }

    /** Whether the peers are at a step and wait for this rank. */
    boolean isCalled() {
        return lockstep.isCalled();
    }

    /** Number of the step that ended last, the same on every rank. */
    long steps() {
        return lockstep.step() - 1;
    }

    /** The next message that came during a wait, or null. */
    Message pollDeferred() {
        return deferred.poll();
    }

    /**
     * Waits until all ranks have begun this step.
     *
     * @param durationNs modelled length of this rank's part
     * @return modelled length of the step for all
     */
    long meet(long durationNs, BooleanSupplier stopRequested) throws InterruptedException {
        lockstep.begin(durationNs, System.nanoTime());
        while (!lockstep.isComplete() && !stopRequested.getAsBoolean()) {
            Message message = messages.poll(WAIT_MS, TimeUnit.MILLISECONDS);
            if (message != null && !onMessage(message)) {
                deferred.add(message);
                if (message instanceof Fenced
                        || message instanceof ShutdownReq
                        || (message instanceof ControllerHello hello && isSuccessor(hello))) {
                    lockstep.leave();
                }
            }
            lockstep.onTick(System.nanoTime());
        }
        return lockstep.finish();
    }

    /** Figures for /server_info; the share of idle in total is the barrier idle fraction. */
    void addCounters(Map<String, Object> counters) {
        counters.put("lockstep_peers", (long) lockstep.peers());
        counters.put("lockstep_steps", lockstep.steps());
        counters.put("lockstep_idle_s", lockstep.idleS());
        counters.put("lockstep_total_s", lockstep.totalS());
    }

    @Override
    public void close() {
        link.close();
    }
}
