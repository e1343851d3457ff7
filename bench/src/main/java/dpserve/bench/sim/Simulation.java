package dpserve.bench.sim;

import dpserve.bench.dataset.DatasetRow;
import dpserve.bench.load.LoadSchedule;
import dpserve.bench.sim.EventLog.Kind;
import dpserve.io.LoadReport;
import dpserve.io.SimulatedModel;
import dpserve.io.WireRid;
import dpserve.io.message.AbortReq;
import dpserve.io.message.BatchTokenIDOutput;
import dpserve.io.message.FinishReason;
import dpserve.io.message.Message;
import dpserve.io.message.SamplingParams;
import dpserve.io.message.TokenizedGenerateReqInput;
import dpserve.scheduler.EngineProfile;
import dpserve.tokenizer.SequenceSpec;
import dpserve.tokenizer.SequenceSpec.Routing;
import dpserve.tokenizer.SequenceState;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;

/**
 * A topology in virtual time: the production tokenizer managers, controller, load view, policy, schedulers and engine,
 * joined by an event queue. Equal workload, options and seed give the same event log to the nanosecond. Single-threaded.
 *
 * <p>Detokenizers are delays. One hop between two processes takes {@code --message-delay-us}.
 */
public final class Simulation {
    /** Time between two samples of the ranks' loads. */
    private static final long SAMPLE_NS = 50_000_000L;

    /** Reconciliation needs up to 9 s and two heartbeats to find what faults left behind. */
    private static final long REPAIR_NS = 20_000_000_000L;

    /** Far above any step, wait for a rank or repair. */
    private static final long STUCK_NS = 120_000_000_000L;

    /** From rank to client: through detokenizer and tokenizer worker. */
    private static final int OUTPUT_HOPS = 2;

    private final SimOptions options;
    private final List<DatasetRow> rows;
    private final Function<DatasetRow, int[]> promptIds;
    private final long seed;
    private final LoadSchedule schedule;
    private final EventQueue queue = new EventQueue();
    private final EventLog log;
    private final SimulatedModel model = SimulatedModel.create();
    private final ImbalanceMeter imbalance = new ImbalanceMeter();
    private final SimController controller;
    private final ReportChannel reports;
    private final ServiceLine[] detokenizers;
    private final SimTokenizers tokenizers;
    private final SimRank[] ranks;
    private final SimRequest[] requests;
    private final LockstepGroup lockstep;
    private final long hopNs;
    private final SimFaults faults;

    /** What the controller forwards as it is, by the number that stands for the bytes; attempts until they are there. */
    private final List<Message> frames = new ArrayList<>();

    private int sent;
    private int ended;
    private int wrong;
    private long lastEndNs;
    private long lastSentNs;

    /**
     * @param rows the workload, each a single prompt of tokens
     * @param promptIds the ids of a row's prompt, made when it is sent
     * @param arrivalNs when each row arrives, ascending
     * @param maxConcurrency most requests in flight, or null
     * @param log takes the events
     */
    public Simulation(
            SimOptions options,
            EngineProfile profile,
            List<DatasetRow> rows,
            Function<DatasetRow, int[]> promptIds,
            long[] arrivalNs,
            Integer maxConcurrency,
            long seed,
            EventLog log) {
        options.validate();
        this.options = options;
        this.rows = rows;
        this.promptIds = promptIds;
        this.seed = seed;
        this.schedule = new LoadSchedule(arrivalNs, maxConcurrency);
        this.log = log;
        this.hopNs = (long) (options.messageDelayUs * 1e3);
        this.requests = new SimRequest[rows.size()];
        this.detokenizers = new ServiceLine[options.detokenizers];
        Arrays.setAll(detokenizers, i -> new ServiceLine());
        this.tokenizers = new SimTokenizers(options.tokenizerWorkers, options.onRankFailure, this::toController);
        this.controller = new SimController(queue, options, seed, new Network());
        List<SimFault> all = options.faults(seed);
        int added =
                (int) all.stream().filter(f -> f.kind() == SimFault.Kind.ADD).count();
        this.ranks = new SimRank[options.dpSize + added];
        this.reports = new ReportChannel(queue, options, ranks.length, seed, loads -> {
            loads.forEach(load -> log.add(Kind.REPORT_APPLIED, queue.nowNs(), load.seq(), load.dpRank()));
            controller.onReports(loads);
        });
        this.faults = new SimFaults(queue, log, ranks, options.dpSize, controller, tokenizers, all);
        this.lockstep = options.lockstep ? new LockstepGroup(queue, ranks, imbalance) : null;
        for (int r = 0; r < ranks.length; r++) {
            ranks[r] = new SimRank(queue, options.schedulerConfig(r), model, profile, new RankPeer());
        }
    }

    /**
     * Runs until every request has ended.
     *
     * @throws IllegalStateException if the events run out before that: a promise is broken
     */
    public SimResult run() {
        faults.begin();
        tick();
        sample();
        if (options.loadReport == LoadReport.WATCH) {
            poll();
        }
        sendDue();
        while (!schedule.isDone()) {
            if (!queue.runNext() || isStuck()) {
                throw new IllegalStateException(rows.size() - ended + " requests never ended");
            }
        }
        // End notices and idle reports that are still under way; the periodic events never run out, so by time.
        long quietNs = queue.nowNs() + 10 * hopNs + SimController.TICK_NS;
        if (hasFaults()) {
            quietNs = Math.max(quietNs, faults.overNs()) + REPAIR_NS;
        }
        queue.at(quietNs, () -> {});
        while (queue.nowNs() < quietNs && queue.runNext()) {
            // runs what is left
        }
        return SimResult.of(
                options,
                seed,
                requests,
                lastEndNs,
                imbalance.figures(),
                reports,
                tokenizers.resumed(),
                Promises.check(
                        controller.core(), ranks, requests, wrong, hasFaults() || tokenizers.resumed() > 0, tokenizers),
                log);
    }

    private boolean hasFaults() {
        return faults.overNs() > 0 || options.messageLoss > 0;
    }

    /** Nothing has ended for so long that nothing will: the periodic events never run out. */
    private boolean isStuck() {
        long since = Math.max(Math.max(lastEndNs, lastSentNs), faults.overNs());
        return hasFaults() && sent > ended && queue.nowNs() - since > STUCK_NS;
    }

    private void tick() {
        controller.tick();
        tokenizers.onTick(queue.nowNs());
        queue.after(SimController.TICK_NS, this::tick);
    }

    private void poll() {
        for (SimRank rank : ranks) {
            if (rank.isAlive()) {
                reports.send(rank.load(), OUTPUT_HOPS * hopNs);
            }
        }
        queue.after((long) (options.watchIntervalMs * 1e6), this::poll);
    }

    /** Once nothing is left to dispatch no policy can even anything out: what ranks still hold tells nothing of it. */
    private void sample() {
        if (sent < rows.size() || imbalance.isEmpty()) {
            imbalance.sample(ranks);
        }
        queue.after(SAMPLE_NS, this::sample);
    }

    /** Sends what is due now and comes back when the next request arrives. */
    private void sendDue() {
        for (int i = schedule.next(queue.nowNs()); i != LoadSchedule.NONE; i = schedule.next(queue.nowNs())) {
            send(i, schedule.intendedNs());
        }
        long next = schedule.nextArrivalNs();
        if (next > queue.nowNs() && next != Long.MAX_VALUE) {
            queue.at(next, this::sendDue);
        }
    }

    private void send(int i, long intendedNs) {
        DatasetRow row = rows.get(i);
        int[] ids = promptIds.apply(row);
        SamplingParams params = SamplingParams.greedy(row.outputLen()).ignoringEos();
        SimRequest request = new SimRequest(i, ids, !params.ignoreEos(), intendedNs);
        sent++;
        requests[i] = request;
        lastSentNs = queue.nowNs();
        log.add(Kind.SENT, queue.nowNs(), i, -1);
        Routing routing = row.routingKey() == null
                ? Routing.NONE
                : new Routing(null, null, row.routingKey(), null, null, null, null, null);
        tokenizers.submit(
                i % options.tokenizerWorkers,
                new SequenceSpec(Integer.toString(i), ids, params, true, routing),
                (state, text) -> onClientOutput(request, state),
                queue.nowNs());
    }

    /** An end notice goes out before the client can cause another request. */
    private void toController(Message message, int worker) {
        int to = controller.life();
        int frame = frames.size();
        if (message instanceof TokenizedGenerateReqInput attempt) {
            frames.add(attempt);
            queue.after(hopNs, () -> controller.request(to, worker, frame, attempt));
        } else {
            if (message instanceof AbortReq) {
                frames.add(message);
            }
            queue.after(hopNs, () -> controller.message(to, worker, frame, message));
        }
    }

    private void onClientOutput(SimRequest r, SequenceState state) {
        if (state.completionTokens() > r.tokens) {
            if (!r.accept(model, state)) {
                wrong++;
            }
            r.tokensAt(queue.nowNs());
        }
        if (state.finishReason() != null) {
            r.endNs = queue.nowNs();
            r.failed = state.finishReason() instanceof FinishReason.Abort;
            lastEndNs = r.endNs;
            ended++;
            log.add(r.failed ? Kind.FAILED : Kind.ENDED, queue.nowNs(), r.number, r.dpRank);
            schedule.finished(queue.nowNs());
        }
    }

    private final class RankPeer implements SimRank.Peer {
        @Override
        public void onOutput(int dpRank, int detokenizer, BatchTokenIDOutput output) {
            // The detokenizer's time only, without the hop to it: the same for every batch, so the order is the same.
            long costNs = (long) (output.size() * options.detokenizerUs * 1e3);
            long detokenizedNs = detokenizers[detokenizer].doneAfterNs(queue.nowNs(), costNs);
            if (output.load() != null && options.loadReport == LoadReport.PIGGYBACK) {
                reports.send(output, detokenizedNs + (OUTPUT_HOPS + 1) * hopNs);
            } else if (output.load() != null && options.loadReport == LoadReport.DIRECT) {
                reports.send(output, hopNs);
            }
            if (output.size() > 0) {
                queue.after(detokenizedNs + OUTPUT_HOPS * hopNs, () -> {
                    tokenizers.onOutput(output, queue.nowNs());
                    sendDue();
                });
            }
        }

        @Override
        public void onAnswer(String httpWorkerIpc, Message answer) {
            if (answer instanceof AbortReq refused) {
                queue.after(hopNs, () -> {
                    tokenizers.onAnswer(httpWorkerIpc, refused, queue.nowNs());
                    sendDue();
                });
            }
        }

        @Override
        public void toController(Message message) {
            controller.fromRank(message);
        }

        @Override
        public long nextIncarnation() {
            return faults.nextIncarnation();
        }

        @Override
        public void onReady(SimRank rank) {
            if (lockstep != null) {
                lockstep.wake();
            } else {
                rank.step();
            }
        }
    }

    private final class Network implements SimController.Network {
        @Override
        public void frameToRank(int dpRank, String endpoint, int frame) {
            SimRank rank = ranks[dpRank];
            if (!(frames.get(frame) instanceof TokenizedGenerateReqInput attempt)) {
                rank.receive(endpoint, frames.get(frame)); // perhaps one of several that get it
                return;
            }
            frames.set(frame, null);
            // The user's part of the wire rid.
            int number = Integer.parseInt(attempt.rid(), 0, attempt.rid().indexOf(WireRid.SEPARATOR), 10);
            requests[number].dpRank = dpRank;
            reports.dispatched(dpRank);
            log.add(Kind.RECEIVED, queue.nowNs(), number, dpRank);
            rank.receive(endpoint, attempt);
            if (rank.isAlive()) {
                imbalance.held(
                        rank.held(), sent - ended, controller.core().view().liveCount());
            }
        }

        @Override
        public void messageToRank(int dpRank, String endpoint, Message message) {
            ranks[dpRank].receive(endpoint, message);
        }

        @Override
        public void messageToInput(String endpoint, Message message) {
            for (SimRank rank : ranks) {
                rank.receive(endpoint, message);
            }
        }

        @Override
        public void lost(int dpRank) {
            log.add(Kind.MESSAGE_LOST, queue.nowNs(), 0, dpRank);
        }

        @Override
        public void messageToWorker(int worker, Message message) {
            tokenizers.onNotice(worker, message, queue.nowNs());
            sendDue();
        }
    }
}
