package dpserve.scheduler;

import dpserve.io.message.FlushCacheReqInput;
import dpserve.io.message.FlushCacheReqOutput;
import dpserve.io.message.HealthCheckOutput;
import dpserve.io.message.TokenizedGenerateReqInput;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/** Calls that are answered later: cache flushes wait for the rank to be idle, health probes for a step. */
final class ControlCalls {
    private static final double NS_PER_S = 1e9;

    /** Longest wait a caller may ask for, so that its deadline is a number: a day. */
    private static final double MAX_WAIT_S = 86_400;

    private record PendingFlush(FlushCacheReqInput call, long deadlineNs) {}

    private final SchedulerConfig config;
    private final SchedulerOutput output;
    private final List<PendingFlush> flushes = new ArrayList<>();
    private final List<TokenizedGenerateReqInput> probes = new ArrayList<>();

    ControlCalls(SchedulerConfig config, SchedulerOutput output) {
        this.config = config;
        this.output = output;
    }

    int pendingFlushes() {
        return flushes.size();
    }

    int pendingProbes() {
        return probes.size();
    }

    void addFlush(FlushCacheReqInput call, long nowNs) {
        double waitS = call.timeoutS() == null ? 0 : Math.min(MAX_WAIT_S, Math.max(0, call.timeoutS()));
        flushes.add(new PendingFlush(call, nowNs + (long) (waitS * NS_PER_S)));
    }

    /** The rank is idle and its cache is empty now. */
    void answerFlushes() {
        flushes.forEach(f -> answer(f.call(), true, "Cache flushed."));
        flushes.clear();
    }

    /** The rank is busy: refuses the flushes that wait no longer. */
    void refuseFlushes(int queued, int running, long nowNs) {
        for (Iterator<PendingFlush> it = flushes.iterator(); it.hasNext(); ) {
            PendingFlush f = it.next();
            if (nowNs - f.deadlineNs() >= 0) {
                it.remove();
                answer(
                        f.call(),
                        false,
                        "Cache not flushed because there are pending requests. #queue-req: " + queued
                                + ", #running-req: " + running);
            }
        }
    }

    private void answer(FlushCacheReqInput call, boolean success, String message) {
        output.toTokenizer(
                call.httpWorkerIpc(),
                new FlushCacheReqOutput(call.rid(), call.httpWorkerIpc(), success, message, config.dpRank()));
    }

    void addProbe(TokenizedGenerateReqInput probe) {
        probes.add(probe);
    }

    /** The probe that an idle rank is to run, or null. */
    TokenizedGenerateReqInput nextProbe() {
        return probes.isEmpty() ? null : probes.get(0);
    }

    /** A step has just run, so the engine lives. */
    void answerProbes() {
        for (TokenizedGenerateReqInput p : probes) {
            output.toTokenizer(p.httpWorkerIpc(), new HealthCheckOutput(p.rid(), p.httpWorkerIpc()));
        }
        probes.clear();
    }
}
