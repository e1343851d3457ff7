package dpserve.bench.sim;

import dpserve.io.SimulatedModel;
import dpserve.io.message.BatchTokenIDOutput;
import dpserve.io.message.GetLoadReqOutput;
import dpserve.io.message.Message;
import dpserve.scheduler.Batch;
import dpserve.scheduler.EngineProfile;
import dpserve.scheduler.Scheduler;
import dpserve.scheduler.SchedulerConfig;
import dpserve.scheduler.SchedulerOutput;
import dpserve.scheduler.SimulatedEngine;
import dpserve.scheduler.StepResult;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * One rank in virtual time: the production scheduler and engine. Messages that arrive during a step wait for its end, as
 * they do in the process's input socket.
 */
final class SimRank {
    /** What a rank says, with the incarnation that said it. */
    interface Peer {
        void onOutput(int dpRank, int detokenizer, BatchTokenIDOutput output);

        void onAnswer(String httpWorkerIpc, Message answer);

        /** A message was taken, or a step has ended: the rank may begin another step. */
        void onReady(SimRank rank);
    }

    private final EventQueue queue;
    private final SchedulerConfig config;
    private final SimulatedModel model;
    private final EngineProfile profile;
    private final Peer peer;
    private final Deque<Message> input = new ArrayDeque<>();
    private Scheduler scheduler;
    private SimulatedEngine engine;
    private boolean stepping;
    private long incarnation;

    SimRank(EventQueue queue, SchedulerConfig config, SimulatedModel model, EngineProfile profile, Peer peer) {
        this.queue = queue;
        this.config = config;
        this.model = model;
        this.profile = profile;
        this.peer = peer;
    }

    /** A fresh process begins. */
    void start(long newIncarnation) {
        incarnation = newIncarnation;
        stepping = false;
        input.clear();
        engine = new SimulatedEngine(model, profile);
        scheduler = new Scheduler(config, engine, new Output(newIncarnation), newIncarnation);
    }

    /** The process dies with all it holds. */
    void kill() {
        incarnation = 0;
        scheduler = null;
        input.clear();
    }

    boolean isAlive() {
        return scheduler != null;
    }

    int dpRank() {
        return config.dpRank();
    }

    long incarnation() {
        return incarnation;
    }

    Scheduler scheduler() {
        return scheduler;
    }

    /** A message from the controller arrives. */
    void receive(Message message) {
        if (!isAlive()) {
            return;
        }
        input.add(message);
        if (!stepping) {
            peer.onReady(this);
        }
    }

    /** Requests held and on the doorstep. */
    int held() {
        return scheduler.heldCount() + input.size();
    }

    private void drain() {
        for (Message m = input.poll(); m != null; m = input.poll()) {
            scheduler.onMessage(m, queue.nowNs());
        }
    }

    /** Begins a step by itself, if there is work; the end of it calls {@link Peer#onReady}. */
    void step() {
        Batch batch = isAlive() && !stepping ? begin() : null;
        if (batch != null) {
            StepResult result = engine.run(batch);
            long by = incarnation;
            queue.after(result.durationNs(), () -> {
                if (by == incarnation) {
                    finish(batch, result);
                    peer.onReady(this);
                }
            });
        }
    }

    /** Takes what has arrived and chooses the next batch; null if there is no work. */
    Batch begin() {
        drain();
        Batch batch = scheduler.nextBatch(queue.nowNs());
        stepping = batch != null;
        return batch;
    }

    StepResult run(Batch batch) {
        return engine.run(batch);
    }

    void finish(Batch batch, StepResult result) {
        stepping = false;
        scheduler.onStepFinished(batch, result, queue.nowNs());
    }

    /** What the rank holds now, without making a report of it. */
    record Held(int running, int waiting, int tokens, int used) {}

    Held figures() {
        return new Held(scheduler.running(), scheduler.waiting(), scheduler.tokensHeld(), scheduler.kvUsed());
    }

    GetLoadReqOutput load() {
        return scheduler.load(queue.nowNs(), 0);
    }

    private final class Output implements SchedulerOutput {
        private final long by;

        Output(long by) {
            this.by = by;
        }

        @Override
        public void toDetokenizer(int index, BatchTokenIDOutput output) {
            if (by == incarnation) {
                peer.onOutput(dpRank(), index, output);
            }
        }

        @Override
        public void toTokenizer(String httpWorkerIpc, Message message) {
            if (by == incarnation) {
                peer.onAnswer(httpWorkerIpc, message);
            }
        }

        @Override
        public void info(String line) {
            // A log of every decode interval of every rank tells nothing that the event log does not.
        }

        @Override
        public void warn(String kind, String detail) {
            throw new IllegalStateException("dp_rank " + dpRank() + ": " + kind + ": " + detail);
        }
    }
}
