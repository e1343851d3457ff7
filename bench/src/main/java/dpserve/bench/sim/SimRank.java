package dpserve.bench.sim;

import dpserve.io.SimulatedModel;
import dpserve.io.message.BatchTokenIDOutput;
import dpserve.io.message.ControllerHello;
import dpserve.io.message.DrainRank;
import dpserve.io.message.Fenced;
import dpserve.io.message.GetLoadReqOutput;
import dpserve.io.message.HeldRids;
import dpserve.io.message.Hello;
import dpserve.io.message.Message;
import dpserve.io.message.Role;
import dpserve.scheduler.Batch;
import dpserve.scheduler.EngineProfile;
import dpserve.scheduler.Scheduler;
import dpserve.scheduler.SchedulerConfig;
import dpserve.scheduler.SchedulerOutput;
import dpserve.scheduler.SimulatedEngine;
import dpserve.scheduler.StepResult;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;

/**
 * One rank in virtual time: the production scheduler and engine. Messages that arrive during a step wait for its end, as
 * they do in the process's input socket.
 */
final class SimRank {
    /** What a rank says, with the incarnation that said it. */
    interface Peer {
        void onOutput(int dpRank, int detokenizer, BatchTokenIDOutput output);

        void onAnswer(String httpWorkerIpc, Message answer);

        void toController(Message message);

        /** A number above all that any rank has had. */
        long nextIncarnation();

        /** A message was taken, or a step has ended: the rank may begin another step. */
        void onReady(SimRank rank);
    }

    private final EventQueue queue;
    private final SchedulerConfig config;
    private final SimulatedModel model;
    private final EngineProfile profile;
    private final Peer peer;
    private final Deque<Message> input = new ArrayDeque<>();
    private final Deque<Runnable> deferred = new ArrayDeque<>();
    private Scheduler scheduler;
    private SimulatedEngine engine;
    private boolean stepping;
    private boolean paused;
    private boolean draining;
    private long incarnation;
    private long controllerEpoch;
    private int life;

    SimRank(EventQueue queue, SchedulerConfig config, SimulatedModel model, EngineProfile profile, Peer peer) {
        this.queue = queue;
        this.config = config;
        this.model = model;
        this.profile = profile;
        this.peer = peer;
    }

    /** A fresh process begins. */
    void start() {
        life++;
        incarnation = peer.nextIncarnation();
        stepping = false;
        draining = false;
        controllerEpoch = 0;
        engine = new SimulatedEngine(model, profile);
        scheduler = new Scheduler(config, engine, new Output(life), incarnation);
    }

    /** The process dies with all it holds. */
    void kill() {
        life++;
        scheduler = null;
        paused = false;
        input.clear();
        deferred.clear();
    }

    /** The process stands still. */
    void pause() {
        paused = true;
    }

    /** It goes on with what it was at; it knows of nothing that happened meanwhile. */
    void resume() {
        paused = false;
        while (!deferred.isEmpty()) {
            deferred.poll().run();
        }
        peer.onReady(this);
    }

    boolean isPaused() {
        return paused;
    }

    /** Which of the processes that were this rank; changes with each start and death. */
    int life() {
        return life;
    }

    /** Where this incarnation takes messages. */
    String endpoint() {
        return "tcp://127.0.0.1:" + incarnation;
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

    /** A message from the controller arrives; one for another incarnation finds nobody. */
    void receive(String to, Message message) {
        if (!isAlive() || !to.equals(endpoint())) {
            return;
        }
        input.add(message);
        if (!stepping && !paused) {
            peer.onReady(this);
        }
    }

    /** Requests held and on the doorstep. */
    int held() {
        return scheduler.heldCount() + input.size();
    }

    private void drain() {
        for (Message m = input.poll(); m != null; m = input.poll()) {
            if (!scheduler.onMessage(m, queue.nowNs())) {
                control(m);
            }
        }
    }

    /** As the scheduler's process does. */
    private void control(Message message) {
        if (message instanceof ControllerHello hello && hello.epoch() >= controllerEpoch) {
            boolean restarted = controllerEpoch != 0 && hello.epoch() > controllerEpoch;
            controllerEpoch = hello.epoch();
            if (restarted) {
                beginIncarnation();
                input.removeIf(m -> scheduler.onMessage(m, queue.nowNs()));
                input.clear();
            }
            register();
        } else if (message instanceof Fenced fenced && fenced.incarnation() == incarnation) {
            scheduler.abandonAll();
            beginIncarnation();
            input.clear();
            register();
        } else if (message instanceof DrainRank wish) {
            draining = DrainRank.DRAIN.equals(wish.action());
        } else if (message instanceof HeldRids question) {
            peer.toController(new HeldRids(question.dpRank(), incarnation, scheduler.heldRids()));
        }
    }

    private void beginIncarnation() {
        incarnation = peer.nextIncarnation();
        scheduler.restart(incarnation);
    }

    /** Tells the controller who it is and what it holds. */
    void register() {
        GetLoadReqOutput load = load();
        Map<String, Long> info = Map.of(
                Hello.DRAINING,
                draining ? 1L : 0L,
                Hello.RECEIVED_REQS,
                load.receivedReqs(),
                Hello.RECEIVED_TOKENS,
                load.receivedTokens());
        peer.toController(new Hello(
                Role.SCHEDULER,
                dpRank(),
                incarnation,
                Map.of(Hello.INPUT, endpoint()),
                Hello.PROTOCOL_VERSION,
                1,
                info,
                scheduler.heldRids()));
    }

    /** Begins a step by itself, if there is work; the end of it calls {@link Peer#onReady}. */
    void step() {
        Batch batch = begin();
        if (batch != null) {
            StepResult result = engine.run(batch);
            int by = life;
            queue.after(result.durationNs(), () -> {
                if (by == life) {
                    finish(batch, result);
                    peer.onReady(this);
                }
            });
        }
    }

    /** Takes what has arrived and chooses the next batch; null if there is no work. */
    Batch begin() {
        if (!isAlive() || stepping || paused) {
            return null;
        }
        drain();
        Batch batch = scheduler.nextBatch(queue.nowNs());
        stepping = batch != null;
        return batch;
    }

    StepResult run(Batch batch) {
        return engine.run(batch);
    }

    /** The step has ended; for a process that stands still, when it goes on. */
    void finish(Batch batch, StepResult result) {
        if (paused) {
            deferred.add(() -> finish(batch, result));
            return;
        }
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
        private final int by;

        Output(int by) {
            this.by = by;
        }

        @Override
        public void toDetokenizer(int index, BatchTokenIDOutput output) {
            if (by == life) {
                peer.onOutput(dpRank(), index, output);
            }
        }

        @Override
        public void toTokenizer(String httpWorkerIpc, Message message) {
            if (by == life) {
                peer.onAnswer(httpWorkerIpc, message);
            }
        }

        @Override
        public void warn(String kind, String detail) {
            throw new IllegalStateException("dp_rank " + dpRank() + ": " + kind + ": " + detail);
        }
    }
}
