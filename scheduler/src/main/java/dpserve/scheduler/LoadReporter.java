package dpserve.scheduler;

import dpserve.io.message.GetLoadReqOutput;

/**
 * Samples the rank's load (docs/protocol.md section 6). Counts what exact accounting needs: requests received and ended
 * since the incarnation began. One sequence number over all ways a report can take.
 */
final class LoadReporter {
    private static final double NS_PER_S = 1e9;

    private final SchedulerConfig config;
    private final RequestTable table;
    private final PrefillManager prefill;
    private final KvPool pool;
    private final BatchLog log;
    private final HandoffQueues handoff;
    private long incarnation;
    private long seq;
    private long receivedReqs;
    private long receivedTokens;
    private long endedReqs;
    private long endedTokens;
    private long outputTokens;
    private long retracted;
    private boolean changed;
    private GetLoadReqOutput newest;
    private long newestAtNs;

    LoadReporter(
            SchedulerConfig config,
            RequestTable table,
            PrefillManager prefill,
            KvPool pool,
            BatchLog log,
            HandoffQueues handoff,
            long incarnation) {
        this.config = config;
        this.table = table;
        this.prefill = prefill;
        this.pool = pool;
        this.log = log;
        this.handoff = handoff;
        this.incarnation = incarnation;
    }

    /** Counters and sequence start anew; what is held counts as received. */
    void restart(long newIncarnation) {
        incarnation = newIncarnation;
        seq = 0;
        receivedReqs = table.size();
        receivedTokens = table.inputTokens();
        endedReqs = 0;
        endedTokens = 0;
        changed = true;
        newest = null;
    }

    void onReceived(int inputTokens) {
        receivedReqs++;
        receivedTokens += inputTokens;
        changed = true;
    }

    /** @param madeTokens output tokens of a request that was held; they are held no longer */
    void onEnded(int inputTokens, int madeTokens) {
        endedReqs++;
        endedTokens += inputTokens;
        outputTokens -= madeTokens;
        changed = true;
    }

    void onToken() {
        outputTokens++;
    }

    void onRetracted() {
        retracted++;
        changed = true;
    }

    /** Whether requests came, ended or lost their KV since the last report that an output batch carried. */
    boolean isChanged() {
        return changed;
    }

    long outputTokens() {
        return outputTokens;
    }

    long incarnation() {
        return incarnation;
    }

    long received() {
        return receivedReqs;
    }

    long ended() {
        return endedReqs;
    }

    /** A report of this moment for an output batch, or for a batch of size 0 that carries nothing else. */
    GetLoadReqOutput piggyback(long nowNs) {
        changed = false;
        return sample(nowNs);
    }

    /** A report of this moment, with the next sequence number. Only between steps, with all results applied. */
    GetLoadReqOutput sample(long nowNs) {
        int used = pool.used();
        newestAtNs = nowNs;
        newest = new GetLoadReqOutput(
                null,
                null,
                config.dpRank(),
                table.size(),
                prefill.waiting().size() + handoff.reqs,
                (int) Math.min(Integer.MAX_VALUE, used + prefill.waiting().tokens() + handoff.tokens),
                nowNs / NS_PER_S,
                incarnation,
                ++seq,
                receivedReqs,
                receivedTokens,
                endedReqs,
                endedTokens,
                outputTokens,
                used,
                config.maxTotalTokens(),
                log.genThroughput(),
                log.cacheHitRate(),
                retracted);
        return newest;
    }

    /** The newest report, sampled now if it is older than this or there is none. */
    GetLoadReqOutput newest(long nowNs, long maxAgeNs) {
        return newest == null || nowNs - newestAtNs > maxAgeNs ? sample(nowNs) : newest;
    }
}
