package dpserve.scheduler;

import java.util.Locale;

/** SGLang's log lines for prefill and decode batches, and the rates they show. */
final class BatchLog {
    private static final double NS_PER_S = 1e9;

    private final SchedulerConfig config;
    private final SchedulerOutput output;
    private int decodeSteps;
    private long tokens;
    private long sinceNs;
    private boolean measuring;
    private double genThroughput;
    private double cacheHitRate;
    private long prefillSinceNs;
    private boolean prefilled;

    BatchLog(SchedulerConfig config, SchedulerOutput output) {
        this.config = config;
        this.output = output;
    }

    /** Output tokens per second over the last whole interval; 0 when idle. */
    double genThroughput() {
        return genThroughput;
    }

    /** Share of the last prefill batch's tokens that were cached. */
    double cacheHitRate() {
        return cacheHitRate;
    }

    /** The rank has nothing to do: the next interval does not count the pause. */
    void onIdle() {
        decodeSteps = 0;
        tokens = 0;
        measuring = false;
        prefilled = false;
        genThroughput = 0;
    }

    /** A prefill batch was chosen. */
    void onPrefill(Batch batch, int running, PrefillManager prefill, KvPool pool, String handoff, long nowNs) {
        begin(nowNs);
        int made = batch.newTokens();
        int cached = prefill.cachedInBatch();
        cacheHitRate = (double) cached / (made + cached);
        double seconds = prefilled ? (nowNs - prefillSinceNs) / NS_PER_S : 0;
        prefillSinceNs = nowNs;
        prefilled = true;
        output.info(String.format(
                Locale.ROOT,
                "DP%d Prefill batch, #new-seq: %d, #new-token: %d, #cached-token: %d, token usage: %.2f,"
                        + " #running-req: %d, #queue-req: %d, #pending-token: %d%s, cuda graph: False,"
                        + " input throughput (token/s): %.2f",
                config.dpRank(),
                batch.size(),
                made,
                cached,
                (double) pool.used() / pool.size(),
                running,
                prefill.waiting().size(),
                prefill.pendingTokens(),
                handoff,
                seconds > 0 ? made / seconds : 0.0));
    }

    /** The results of a step were applied; every so many decode steps this is worth a line. */
    void onStep(Batch batch, int made, int waiting, KvPool pool, Handoff handoff, long nowNs) {
        begin(nowNs);
        tokens += made;
        if (batch.mode() != Batch.Mode.DECODE || ++decodeSteps < config.decodeLogInterval()) {
            return;
        }
        double seconds = (nowNs - sinceNs) / NS_PER_S;
        genThroughput = seconds > 0 ? tokens / seconds : 0.0;
        decodeSteps = 0;
        tokens = 0;
        sinceNs = nowNs;
        output.info(String.format(
                Locale.ROOT,
                "DP%d Decode batch, #running-req: %d, #token: %d, token usage: %.2f%s, cuda graph: False,"
                        + " gen throughput (token/s): %.2f, #queue-req: %d",
                config.dpRank(),
                batch.size(),
                pool.used(),
                (double) pool.used() / pool.size(),
                handoff.logPart(),
                genThroughput,
                waiting));
    }

    /** The KV pool ran out. */
    void onRetraction(DecodeManager.Retraction r) {
        output.info(String.format(
                Locale.ROOT,
                "DP%d KV cache pool is full. Retract requests. #retracted_reqs: %d, #new_tokens_gained: %d,"
                        + " #new_token_ratio: %.4f -> %.4f",
                config.dpRank(),
                r.retracted().size(),
                r.newTokensGained(),
                r.ratioBefore(),
                r.ratio()));
    }

    private void begin(long nowNs) {
        if (!measuring) {
            measuring = true;
            sinceNs = nowNs;
        }
    }
}
