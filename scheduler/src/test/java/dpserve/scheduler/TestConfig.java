package dpserve.scheduler;

/** A scheduler's configuration with SGLang's defaults, to be changed field by field. */
final class TestConfig {
    int dpRank = 2;
    int detokenizers = 1;
    int maxTotalTokens = SchedulerConfig.DEFAULT_MAX_TOTAL_TOKENS;
    int contextLength = SchedulerConfig.DEFAULT_CONTEXT_LENGTH;
    int maxRunningRequests = 64;
    int maxQueuedRequests = SchedulerConfig.UNLIMITED;
    int maxPrefillTokens = SchedulerConfig.DEFAULT_MAX_PREFILL_TOKENS;
    int chunkedPrefillSize = SchedulerConfig.DEFAULT_CHUNKED_PREFILL_SIZE;
    SchedulePolicy schedulePolicy = SchedulePolicy.FCFS;
    double scheduleConservativeness = 1.0;
    boolean disableRadixCache;
    int streamInterval = 1;
    int forceStreamInterval = SchedulerConfig.DEFAULT_FORCE_STREAM_INTERVAL;
    int clipMaxNewTokens = SchedulerConfig.DEFAULT_CLIP_MAX_NEW_TOKENS;
    int decodeLogInterval = SchedulerConfig.DEFAULT_DECODE_LOG_INTERVAL;

    SchedulerConfig build() {
        return new SchedulerConfig(
                dpRank,
                detokenizers,
                maxTotalTokens,
                contextLength,
                maxRunningRequests,
                maxQueuedRequests,
                maxPrefillTokens,
                chunkedPrefillSize,
                schedulePolicy,
                scheduleConservativeness,
                disableRadixCache,
                streamInterval,
                forceStreamInterval,
                clipMaxNewTokens,
                decodeLogInterval);
    }
}
