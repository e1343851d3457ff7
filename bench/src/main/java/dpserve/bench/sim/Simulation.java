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
import dpserve.io.message.RankDown;
import dpserve.io.message.Refused;
import dpserve.io.message.SamplingParams;
import dpserve.io.message.TokenizedGenerateReqInput;
import dpserve.scheduler.EngineProfile;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * A topology in virtual time: the production controller, load view, policy, schedulers and engine, joined by an event
 * queue. Equal workload, options and seed give the same event log to the nanosecond. Single-threaded.
 *
 * <p>Tokenizer workers and detokenizers are delays: what they decide (who ends when) is done here. One hop between two
 * processes takes {@code --message-delay-us}.
 */
public final class Simulation {
    /** Time between two samples of the ranks' loads. */
    private static final long SAMPLE_NS = 50_000_000L;

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
    private final ServiceLine detokenizer = new ServiceLine();
    private final SimRank[] ranks;
    private final SimRequest[] requests;
    private final LockstepGroup lockstep;
    private final long hopNs;
    private long nextIncarnation = 1;
    private int sent;
    private int ended;
    private int wrong;
    private int afterEnd;
    private long lastEndNs;

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
        this.controller = new SimController(queue, options, seed, new Network());
        this.reports = new ReportChannel(queue, options, seed, loads -> {
            loads.forEach(load -> log.add(Kind.REPORT_APPLIED, queue.nowNs(), load.seq(), load.dpRank()));
            controller.core().onReports(loads, queue.nowNs());
        });
        this.ranks = new SimRank[options.dpSize];
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
        for (SimRank rank : ranks) {
            startRank(rank);
        }
        tick();
        sample();
        if (options.loadReport == LoadReport.WATCH) {
            poll();
        }
        if (options.killAtS != null) {
            queue.at((long) (options.killAtS * 1e9), () -> kill(ranks[options.killRank]));
        }
        sendDue();
        while (!schedule.isDone()) {
            if (!queue.runNext()) {
                throw new IllegalStateException(rows.size() - ended + " requests never ended");
            }
        }
        // End notices and idle reports that are still under way; the periodic events never run out, so by time.
        long quietNs = queue.nowNs() + 10 * hopNs + SimController.TICK_NS;
        queue.at(quietNs, () -> {});
        while (queue.nowNs() < quietNs && queue.runNext()) {
            // runs what is left
        }
        return new SimResult(
                options,
                seed,
                requests,
                lastEndNs,
                imbalance.figures(),
                reports.applied(),
                reports.agesMs(),
                Promises.check(controller.core(), ranks, requests, wrong, afterEnd),
                log.events(),
                log.hash());
    }

    private void startRank(SimRank rank) {
        rank.start(nextIncarnation++);
        log.add(Kind.RANK_UP, queue.nowNs(), rank.incarnation(), rank.dpRank());
        controller.rankStarted(rank.dpRank(), rank.incarnation());
        beat(rank, rank.incarnation());
    }

    private void beat(SimRank rank, long incarnation) {
        if (rank.isAlive() && rank.incarnation() == incarnation) {
            controller.heartbeat(rank);
            queue.after(SimController.HEARTBEAT_NS, () -> beat(rank, incarnation));
        }
    }

    private void kill(SimRank rank) {
        log.add(Kind.RANK_KILLED, queue.nowNs(), rank.incarnation(), rank.dpRank());
        rank.kill();
        queue.after((long) (options.restartAfterS * 1e9), () -> startRank(rank));
    }

    private void tick() {
        controller.core().onTick(queue.nowNs());
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
        int worker = i % options.tokenizerWorkers;
        String rid = new WireRid("r", 1, i, 0).toString();
        SamplingParams params = SamplingParams.greedy(row.outputLen()).ignoringEos();
        TokenizedGenerateReqInput message = new TokenizedGenerateReqInput(
                rid,
                null,
                null,
                promptIds.apply(row),
                params,
                false,
                -1,
                0,
                true,
                null,
                null,
                null,
                null,
                null,
                row.routingKey(),
                null,
                null,
                0,
                0);
        SimRequest request = new SimRequest(i, worker, message, intendedNs, ++sent - ended);
        requests[i] = request;
        log.add(Kind.SENT, queue.nowNs(), i, -1);
        queue.after(hopNs, () -> controller.request(request));
    }

    private void end(SimRequest r, boolean failed) {
        r.endNs = queue.nowNs();
        r.failed = failed;
        lastEndNs = r.endNs;
        ended++;
        log.add(failed ? Kind.FAILED : Kind.ENDED, queue.nowNs(), r.number, r.dpRank);
        requests[r.number].releasePrompt();
        schedule.finished(queue.nowNs());
    }

    private SimRequest byRid(String rid) {
        // The middle one of its three numbers; WireRid.parse would be a sixth of the simulator's time.
        int from = rid.indexOf('.') + 1;
        return requests[Integer.parseInt(rid, from, rid.indexOf('.', from), 10)];
    }

    /** The end notice goes out before the client can cause another request. */
    private void notify(int worker, List<String> rids) {
        if (!rids.isEmpty()) {
            String[] names = rids.toArray(String[]::new);
            queue.after(hopNs, () -> controller.ended(worker, names));
            sendDue();
        }
    }

    /** What a tokenizer worker does with output. */
    private void onClientOutput(BatchTokenIDOutput output) {
        List<List<String>> endedBy = new ArrayList<>();
        for (int w = 0; w < options.tokenizerWorkers; w++) {
            endedBy.add(new ArrayList<>(0));
        }
        for (int i = 0; i < output.size(); i++) {
            SimRequest r = byRid(output.rids()[i]);
            if (r.endNs >= 0) {
                afterEnd++;
                continue;
            }
            if (!r.accept(model, output.outputIds()[i])) {
                wrong++;
            }
            r.tokensAt(queue.nowNs());
            if (output.finishedReasons()[i] != null) {
                end(r, output.finishedReasons()[i] instanceof FinishReason.Abort);
                endedBy.get(r.worker).add(output.rids()[i]);
            }
        }
        for (int w = 0; w < endedBy.size(); w++) {
            notify(w, endedBy.get(w));
        }
    }

    private void fail(String rid) {
        SimRequest r = byRid(rid);
        if (r.endNs < 0) {
            end(r, true);
            notify(r.worker, List.of(rid));
        }
    }

    private final class RankPeer implements SimRank.Peer {
        @Override
        public void onOutput(int dpRank, BatchTokenIDOutput output) {
            // The detokenizer's time only, without the hop to it: the same for every batch, so the order is the same.
            long costNs = (long) (output.size() * options.detokenizerUs * 1e3);
            long detokenizedNs = detokenizer.doneAfterNs(queue.nowNs(), costNs);
            if (output.load() != null && options.loadReport == LoadReport.PIGGYBACK) {
                reports.send(output, detokenizedNs + (OUTPUT_HOPS + 1) * hopNs);
            } else if (output.load() != null && options.loadReport == LoadReport.DIRECT) {
                reports.send(output, hopNs);
            }
            if (output.size() > 0) {
                queue.after(detokenizedNs + OUTPUT_HOPS * hopNs, () -> onClientOutput(output));
            }
        }

        @Override
        public void onAnswer(int dpRank, Message answer) {
            if (answer instanceof AbortReq refused) {
                queue.after(hopNs, () -> fail(refused.rid()));
            }
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
        public void requestToRank(int dpRank, int number) {
            SimRank rank = ranks[dpRank];
            SimRequest r = requests[number];
            r.dpRank = dpRank;
            reports.dispatched(dpRank);
            log.add(Kind.RECEIVED, queue.nowNs(), number, dpRank);
            rank.receive(r.message);
            if (rank.isAlive()) {
                imbalance.held(
                        rank.held(), sent - ended, controller.core().view().liveCount());
            }
        }

        @Override
        public void messageToRank(int dpRank, Message message) {
            if (message instanceof AbortReq) {
                ranks[dpRank].receive(message);
            }
        }

        @Override
        public void messageToWorker(int worker, Message message) {
            if (message instanceof RankDown down) {
                for (String rid : down.rids()) {
                    fail(rid);
                }
            } else if (message instanceof Refused refused) {
                fail(refused.rid());
            }
        }
    }
}
