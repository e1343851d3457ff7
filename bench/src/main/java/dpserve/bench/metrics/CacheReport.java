package dpserve.bench.metrics;

import java.util.List;

/**
 * Use of the server's prefix cache, over successful requests.
 *
 * @param promptTokens tokens of the prompts as the server counted them
 * @param cachedTokens those it had in its cache
 */
public record CacheReport(long promptTokens, long cachedTokens) {

    public static CacheReport of(List<RequestOutcome> outcomes) {
        long prompt = 0;
        long cached = 0;
        for (RequestOutcome o : outcomes) {
            if (o.success()) {
                prompt += o.promptLen();
                cached += o.cachedTokens();
            }
        }
        return new CacheReport(prompt, cached);
    }

    /** Cached share of the prompts, percent. */
    public double hitRatePercent() {
        return promptTokens == 0 ? 0 : 100.0 * cachedTokens / promptTokens;
    }
}
