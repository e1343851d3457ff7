package dpserve.scheduler;

import dpserve.io.DisaggregationMode;
import dpserve.io.message.AbortReq;
import dpserve.io.message.BatchTokenizedGenerateReqInput;
import dpserve.io.message.FlushCacheReqInput;
import dpserve.io.message.GetLoadReqInput;
import dpserve.io.message.GetLoadReqOutput;
import dpserve.io.message.Message;
import dpserve.io.message.TokenizedGenerateReqInput;
import java.util.List;
import java.util.Map;

/**
 * One rank: its waiting queue, running batch, KV pool and prefix cache. The loop around it is
 *
 * <pre>
 *   receive: {@link #onMessage} for everything that came
 *   schedule: {@link #nextBatch}; null means idle until the next message
 *   forward: the engine runs the batch
 *   process: {@link #onStepFinished}
 * </pre>
 *
 * <p>A prefill goes before a decode whenever anything can be admitted; a decode is a step of the whole running batch.
 * Every request that was taken ends exactly once: by a batch output, or by an AbortReq if it has made no output. Messages
 * come only between steps. Time is the caller's monotonic clock. Not thread-safe.
 */
public final class Scheduler {
    private final SchedulerConfig config;
    private final SchedulerOutput output;
    private final KvPool pool;
    private final RequestSlots slots;
    private final RequestTable table = new RequestTable();
    private final PrefillManager prefill;
    private final NewTokenRatio ratio;
    private final DecodeManager decode;
    private final RequestLifecycle requests;
    private final OutputStreamer streamer;
    private final BatchLog log;
    private final LoadReporter reporter;
    private final ControlCalls calls;
    private final SchedulerCounters counters = new SchedulerCounters();
    private final Handoff handoff;
    private final Inspection inspection;
    private boolean idle;

    /** The health probe being run, or null. */
    private Request probe;

    /**
     * @param incarnation goes into every report
     * @param output called only from within the methods of this class
     */
    public Scheduler(SchedulerConfig config, Engine engine, SchedulerOutput output, long incarnation) {
        this(config, engine, output, incarnation, null);
    }

    /** A rank of a prefill or decode server; otherwise as above. */
    public Scheduler(SchedulerConfig config, PdHalf half, SchedulerOutput output, long incarnation) {
        this(config, half.engine(), output, incarnation, half);
    }

    private Scheduler(SchedulerConfig config, Engine engine, SchedulerOutput output, long incarnation, PdHalf half) {
        DisaggregationMode mode =
                half == null ? DisaggregationMode.NULL : half.disaggregation().mode();
        HandoffQueues queues = new HandoffQueues();
        this.config = config;
        this.output = output;
        // As SGLang's: what a decode server holds came from elsewhere, prefix and all.
        boolean cached = !config.disableRadixCache() && mode != DisaggregationMode.DECODE;
        pool = new KvPool(config.maxTotalTokens(), cached);
        slots = new RequestSlots(config.maxRunningRequests());
        prefill = new PrefillManager(config, pool, slots);
        ratio = new NewTokenRatio(config.scheduleConservativeness());
        decode = new DecodeManager(config, pool, ratio);
        streamer = new OutputStreamer(config, output);
        log = new BatchLog(config, output);
        reporter = new LoadReporter(config, table, prefill, pool, log, queues, incarnation);
        calls = new ControlCalls(config, output);
        requests = new RequestLifecycle(
                config,
                engine,
                output,
                pool,
                slots,
                table,
                prefill,
                decode,
                streamer,
                reporter,
                counters,
                queues,
                mode == DisaggregationMode.PREFILL);
        handoff = switch (mode) {
            case NULL -> new NoHandoff(prefill);
            case PREFILL -> new PrefillHandoff(config, half, prefill, requests, queues, reporter);
            case DECODE -> new DecodeHandoff(config, half, pool, slots, decode, requests, queues, counters);
        };
        requests.setHandoff(handoff);
        inspection = new Inspection(output, table, prefill, decode, slots, pool, reporter, calls, handoff, counters);
    }

    /**
     * Takes a message.
     *
     * @return false if it is not one for a scheduler's core
     */
    public boolean onMessage(Message message, long nowNs) {
        if (message instanceof TokenizedGenerateReqInput in) {
            onRequest(in, nowNs);
        } else if (message instanceof BatchTokenizedGenerateReqInput batch) {
            batch.batch().forEach(in -> onRequest(in, nowNs));
        } else if (message instanceof AbortReq abort) {
            onAbort(abort, nowNs);
        } else if (message instanceof FlushCacheReqInput flush) {
            calls.addFlush(flush, nowNs);
        } else if (message instanceof GetLoadReqInput call) {
            output.toTokenizer(
                    call.httpWorkerIpc(), reporter.sample(nowNs).answering(call.rid(), call.httpWorkerIpc()));
        } else {
            boolean taken = handoff.onMessage(message, nowNs);
            emit(nowNs);
            return taken;
        }
        return true;
    }

    private void onRequest(TokenizedGenerateReqInput in, long nowNs) {
        if (TokenizedGenerateReqInput.isHealthCheck(in.rid())) {
            counters.healthProbes++;
            calls.addProbe(in);
        } else {
            requests.begin(in, nowNs);
        }
    }

    private void onAbort(AbortReq abort, long nowNs) {
        Request named = table.get(abort.rid());
        if (abort.abortAll()) {
            table.snapshot().forEach(requests::abort);
        } else if (named != null) {
            requests.abort(named);
        } else {
            counters.unknownAborts++;
        }
        emit(nowNs);
    }

    /** Sends what is due, with the load as it is now. */
    private void emit(long nowNs) {
        if (!streamer.isEmpty()) {
            streamer.flush(reporter.piggyback(nowNs), nowNs);
        }
    }

    /**
     * The next step, its KV allocated; give its result to {@link #onStepFinished} before anything else.
     *
     * @return null if there is nothing to do until the next message
     */
    public Batch nextBatch(long nowNs) {
        if (table.size() > 0) {
            calls.refuseFlushes(prefill.waiting().size(), decode.size(), nowNs);
        }
        handoff.advance(nowNs);
        emit(nowNs);
        Batch batch = prefill.next(decode.size() + handoff.slotsHeld(), decode.reservedTokens());
        if (batch != null) {
            counters.prefillBatches++;
            for (int i = 0; i < batch.size(); i++) {
                batch.request(i).scheduledAt(nowNs);
            }
            log.onPrefill(batch, decode.size(), prefill, pool, handoff.logPart(), nowNs);
        } else if (decode.size() > 0) {
            makeRoom(nowNs);
            if (decode.fits()) { // else KV on its way here has the last of it: its request runs next
                counters.decodeSteps++;
                batch = decode.next();
            }
        }
        if (batch != null) {
            idle = false;
            return batch;
        }
        if (calls.nextProbe() != null && !slots.isFull()) {
            return probeBatch(calls.nextProbe(), nowNs);
        }
        onIdle(nowNs);
        return null;
    }

    /** A decode step needs one KV slot for each running request; who gets none goes back to the waiting queue. */
    private void makeRoom(long nowNs) {
        if (!decode.fits() && decode.size() > 1) { // the last one stays, and waits for KV on its way to another
            DecodeManager.Retraction retraction = decode.retract();
            log.onRetraction(retraction);
            retraction.retracted().forEach(requests::requeue);
        }
        emit(nowNs);
    }

    /** An idle rank runs a health probe beside all accounting: it holds no KV and is in no table. */
    private Batch probeBatch(TokenizedGenerateReqInput in, long nowNs) {
        probe = new Request(in, 1, config.detokenizers(), nowNs);
        slots.take(probe);
        return new Batch(Batch.Mode.PREFILL, List.of(probe), new int[] {0}, new int[] {probe.length()});
    }

    private void onIdle(long nowNs) {
        boolean news = !idle || reporter.isChanged();
        if (news) {
            idle = true;
            ratio.reset();
            log.onIdle();
            if (handoff.nextDueNs() == Handoff.NEVER) {
                inspection.selfCheck();
            }
            streamer.flush(reporter.piggyback(nowNs), nowNs);
        }
        if (calls.pendingFlushes() > 0 && table.size() == 0) {
            pool.flush();
            requests.flushEngine();
            counters.peakReqs = 0;
            calls.answerFlushes();
        }
    }

    /**
     * Applies the results of a step and emits what is due, with the load as it is then.
     *
     * @param batch what {@link #nextBatch} returned last
     */
    public void onStepFinished(Batch batch, StepResult result, long nowNs) {
        if (probe != null) {
            requests.freeSlot(probe);
            probe = null;
            calls.answerProbes();
            return;
        }
        int made = 0;
        for (int i = 0; i < batch.size(); i++) {
            Request r = batch.request(i);
            if (batch.mode() == Batch.Mode.PREFILL) {
                pool.share(r);
            }
            if (!batch.completes(i)) {
                continue;
            }
            int token = result.nextTokenIds()[i];
            if (batch.mode() == Batch.Mode.PREFILL
                    && !r.abortRequested
                    && handoff.onPrefilled(r, token, result.logprob(i), nowNs)) {
                made++;
            } else {
                made += requests.onToken(r, token, result.logprob(i));
                r.tokenAt(nowNs);
                if (batch.mode() == Batch.Mode.PREFILL && !r.isFinished()) {
                    decode.add(r);
                }
            }
        }
        decode.removeFinished();
        requests.endAbortedChunked();
        log.onStep(batch, made, prefill.waiting().size(), pool, handoff, nowNs);
        if (!streamer.isEmpty() || reporter.isChanged()) {
            streamer.flush(reporter.piggyback(nowNs), nowNs);
        }
        calls.answerProbes();
    }

    /**
     * Forgets every request without a word to anyone: the incarnation that held them is fenced, and their attempts have
     * been ended elsewhere.
     */
    public void abandonAll() {
        requests.abandonAll();
    }

    /** The rank registers anew: reports count from here, with what is held as received. */
    public void restart(long incarnation) {
        reporter.restart(incarnation);
    }

    /** When to call {@link #nextBatch} again though no message came; {@link Long#MAX_VALUE} for never. */
    public long nextDueNs() {
        return handoff.nextDueNs();
    }

    /** Wire rids of all requests held. */
    public String[] heldRids() {
        return table.snapshot().stream().map(Request::rid).toArray(String[]::new);
    }

    /** Number of requests held; health probes are not among them. */
    public int heldCount() {
        return table.size();
    }

    /** Requests in the running batch. */
    public int running() {
        return decode.size();
    }

    /** Requests waiting for a prefill. */
    public int waiting() {
        return prefill.waiting().size();
    }

    /** KV slots held by requests. */
    public int kvUsed() {
        return pool.used();
    }

    /** KV slots held by requests, and the lengths of those waiting. */
    public int tokensHeld() {
        return (int) Math.min(Integer.MAX_VALUE, pool.used() + prefill.waiting().tokens());
    }

    /** XOR of {@link dpserve.io.WireRid#hash64} over the requests held. */
    public long heldHash() {
        return table.hash();
    }

    /** Steps chosen so far. */
    public long steps() {
        return counters.prefillBatches + counters.decodeSteps;
    }

    /** The newest report; sampled now if that is older than the given age. */
    public GetLoadReqOutput load(long nowNs, long maxAgeNs) {
        return reporter.newest(nowNs, maxAgeNs);
    }

    /** Sizes of everything that is empty when the rank is idle, by name. */
    public Map<String, Object> tables() {
        return inspection.tables();
    }

    /** What happened so far, and what may stay when the rank is idle, by name. */
    public Map<String, Object> counters() {
        return inspection.counters();
    }
}
