package dpserve.scheduler;

import dpserve.io.message.AbortReq;
import dpserve.io.message.FinishReason;
import dpserve.io.message.TokenizedGenerateReqInput;
import dpserve.io.model.NextToken;

/**
 * Every change in a request's life that touches several managers: it is taken, gets a token, loses its KV, is aborted,
 * ends. A request that was taken ends exactly once, in {@link #end} or {@link #abandonAll}.
 */
final class RequestLifecycle {
    /** What a client is told when a running request was aborted (SGLang's words, here and below). */
    private static final FinishReason.Abort ABORTED = new FinishReason.Abort("Aborted", null, null);

    private static final FinishReason.Abort ABORTED_WAITING =
            new FinishReason.Abort("Abort in waiting queue", null, null);

    private final Engine engine;
    private final SchedulerOutput output;
    private final KvPool pool;
    private final RequestSlots slots;
    private final RequestTable table;
    private final RequestIntake intake;
    private final PrefillManager prefill;
    private final DecodeManager decode;
    private final FinishCheck finish;
    private final OutputStreamer streamer;
    private final LoadReporter reporter;
    private final SchedulerCounters counters;
    private final HandoffQueues queues;

    /** Set once, before the first request: the two need each other. */
    private Handoff handoff;

    RequestLifecycle(
            SchedulerConfig config,
            Engine engine,
            SchedulerOutput output,
            KvPool pool,
            RequestSlots slots,
            RequestTable table,
            PrefillManager prefill,
            DecodeManager decode,
            OutputStreamer streamer,
            LoadReporter reporter,
            SchedulerCounters counters,
            HandoffQueues queues,
            boolean prefillOnly) {
        this.engine = engine;
        this.output = output;
        this.pool = pool;
        this.slots = slots;
        this.table = table;
        this.intake = new RequestIntake(config, engine, prefillOnly);
        this.prefill = prefill;
        this.decode = decode;
        this.finish = new FinishCheck(engine);
        this.streamer = streamer;
        this.reporter = reporter;
        this.counters = counters;
        this.queues = queues;
    }

    void setHandoff(Handoff handoff) {
        this.handoff = handoff;
    }

    /** A request arrives: it waits from now on, or is refused at once. */
    void begin(TokenizedGenerateReqInput in, long nowNs) {
        if (in.rid() == null || table.contains(in.rid())) {
            counters.duplicateRids++;
            output.warn("duplicate_rid", "a request was dropped: its rid is missing or already held: " + in.rid());
            return;
        }
        int inputLength = in.inputIds().length;
        reporter.onReceived(inputLength);
        String unpaired = handoff.refuse(in);
        FinishReason.Abort refusal = unpaired == null ? intake.refuse(in) : RequestIntake.badRequest(unpaired);
        if (refusal != null) {
            counters.badInputs++;
        } else {
            refusal = intake.refuse(prefill.waiting().size() + queues.reqs);
            counters.queueFull += refusal == null ? 0 : 1;
        }
        if (refusal != null) {
            reporter.onEnded(inputLength, 0);
            answer(in, refusal);
            return;
        }
        Request r = intake.accept(in, nowNs);
        table.add(r);
        counters.peakReqs = Math.max(counters.peakReqs, table.size());
        handoff.arrive(r, nowNs);
    }

    /**
     * Gives a running request its next token (and its log probabilities, or null) and puts what it has to emit into the next batch.
     *
     * @return how many tokens it took: none if it was to produce none
     */
    int onToken(Request r, int token, NextToken logprob) {
        int made = 0;
        FinishReason reason = r.abortRequested ? ABORTED : finish.ofLength(r);
        if (reason == null) {
            made = 1;
            r.append(token, logprob);
            reporter.onToken();
            reason = finish.after(r, token);
        }
        if (reason != null) {
            end(r, reason);
            streamer.add(r);
        } else if (streamer.isDue(r)) {
            streamer.add(r);
        }
        return made;
    }

    /** A request that had KV and lost it waits again, at the end; one that was to be aborted ends instead. */
    void requeue(Request r) {
        freeSlot(r);
        prefill.onRoom();
        if (r.abortRequested) {
            end(r, ABORTED);
            streamer.add(r);
            return;
        }
        r.retractions++;
        counters.retractedReqs++;
        reporter.onRetracted();
        handoff.onRetracted(r);
    }

    /**
     * A client wants no more of it. A waiting request ends at once, by an AbortReq if it has made no output and by the
     * next batch if it has; any other ends with the step that follows.
     */
    void abort(Request r) {
        counters.abortedReqs += r.abortRequested ? 0 : 1;
        r.abortRequested = true;
        boolean handedOver = handoff.remove(r);
        if (prefill.waiting().remove(r) || handedOver) {
            stop(r, r.outputLength() > 0 ? ABORTED : ABORTED_WAITING);
        }
    }

    /** Ends one that is in no batch: by a batch output if it has made any, else by an AbortReq. */
    private void stop(Request r, FinishReason.Abort reason) {
        end(r, reason);
        if (r.outputLength() > 0) {
            streamer.add(r);
        } else {
            answer(r.input(), reason);
        }
    }

    /** The other half of a pair failed: this half ends with an error that a router may answer by trying another pair. */
    void fail(Request r, String why) {
        counters.failedPairs++;
        boolean handedOver = handoff.remove(r);
        if (prefill.waiting().remove(r) || handedOver) {
            stop(r, new FinishReason.Abort(why, RequestIntake.SERVICE_UNAVAILABLE, RequestIntake.UNAVAILABLE_TYPE));
        } else {
            r.abortRequested = true;
        }
    }

    /** A prefill server made a request's one token, which its decode half is to emit. */
    void keepToken(Request r, int token, NextToken logprob) {
        r.append(token, logprob);
        reporter.onToken();
    }

    /** Ends a request whose work is done elsewhere from now on. */
    void finish(Request r, FinishReason reason) {
        end(r, reason);
        streamer.add(r);
    }

    /** The request whose prompt is computed in part ends here if it was aborted: its last chunk may be far. */
    void endAbortedChunked() {
        Request r = prefill.chunked();
        if (r != null && r.abortRequested) {
            prefill.clearChunked();
            end(r, ABORTED);
            streamer.add(r);
        }
    }

    /** The request is held no longer; what it computed stays in the cache. */
    private void end(Request r, FinishReason reason) {
        r.finishReason = reason;
        if (r.slot != Request.NO_SLOT) {
            pool.share(r);
            pool.drop(r);
            freeSlot(r);
        }
        table.remove(r);
        reporter.onEnded(r.inputLength(), r.outputLength());
        prefill.onRoom();
    }

    /** No KV outlives this: the cache has been emptied. */
    void flushEngine() {
        engine.flush();
    }

    void freeSlot(Request r) {
        engine.release(r.slot);
        slots.giveBack(r);
    }

    /** All requests are forgotten without a word to anyone. */
    void abandonAll() {
        for (Request r : table.snapshot()) {
            prefill.waiting().remove(r);
            if (r.slot != Request.NO_SLOT) {
                pool.drop(r);
                freeSlot(r);
            }
            table.remove(r);
            reporter.onEnded(r.inputLength(), r.outputLength());
        }
        handoff.clear();
        decode.clear();
        prefill.clearChunked();
    }

    /** A request that has emitted nothing, and never will, has ended. */
    private void answer(TokenizedGenerateReqInput in, FinishReason.Abort reason) {
        output.toTokenizer(
                in.httpWorkerIpc(), new AbortReq(in.rid(), in.httpWorkerIpc(), false, reason, reason.message()));
    }
}
