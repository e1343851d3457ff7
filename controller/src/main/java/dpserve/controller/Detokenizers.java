package dpserve.controller;

import dpserve.io.Endpoints;
import dpserve.io.LogLimiter;
import dpserve.io.message.Hello;

/**
 * The detokenizers' incarnations. A successor has none of the texts that its predecessor had begun, so the tokenizer workers
 * are told of it, by its own Hello.
 */
final class Detokenizers {
    private final TokenizerWorkers workers;
    private final LogLimiter limiter;
    private final long[] incarnations = new long[Endpoints.MAX_DETOKENIZERS];

    Detokenizers(TokenizerWorkers workers, LogLimiter limiter) {
        this.workers = workers;
        this.limiter = limiter;
    }

    void onHello(Hello hello) {
        int index = hello.index();
        if (index < 0 || index >= incarnations.length || hello.incarnation() <= 0) {
            limiter.warn("bad_hello", "detokenizer number or incarnation out of range");
            return;
        }
        long known = incarnations[index];
        incarnations[index] = Math.max(known, hello.incarnation());
        if (known != 0 && hello.incarnation() > known) {
            workers.tellAll(hello);
        }
    }
}
