package dpserve.scheduler;

import dpserve.io.message.SamplingParams;
import java.util.List;

/** Sampling parameters for tests, to be changed field by field. */
final class Params {
    Integer maxNewTokens = 16;
    int minNewTokens;
    boolean ignoreEos = true;
    int[] stopTokenIds = {};
    List<String> stops = List.of();
    Integer streamInterval;

    static SamplingParams tokens(int maxNewTokens) {
        Params p = new Params();
        p.maxNewTokens = maxNewTokens;
        return p.build();
    }

    SamplingParams build() {
        return new SamplingParams(
                maxNewTokens,
                stopTokenIds,
                1.0,
                1.0,
                1,
                0.0,
                0.0,
                0.0,
                1.0,
                minNewTokens,
                1,
                ignoreEos,
                true,
                true,
                false,
                streamInterval,
                null,
                null,
                stops,
                0);
    }
}
