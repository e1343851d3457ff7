package dpserve.scheduler;

import dpserve.io.message.FinishReason;
import dpserve.io.message.TokenizedGenerateReqInput;

/** Turns a message into a request, or says why not. */
final class RequestIntake {
    private static final int BAD_REQUEST = 400;
    static final int SERVICE_UNAVAILABLE = 503;
    static final String UNAVAILABLE_TYPE = "ServiceUnavailableError";

    private final SchedulerConfig config;
    private final Engine engine;

    /** Output tokens that any request makes here at most: one on a prefill server, whose decode half makes the rest. */
    private final int mostNewTokens;

    RequestIntake(SchedulerConfig config, Engine engine, boolean prefillOnly) {
        this.config = config;
        this.engine = engine;
        this.mostNewTokens = prefillOnly ? 1 : SchedulerConfig.UNLIMITED;
    }

    /** Why this input can never run here, or null. */
    FinishReason.Abort refuse(TokenizedGenerateReqInput in) {
        int inputLength = in.inputIds().length;
        int promptLength = inputLength - in.resumed();
        if (in.resumed() < 0 || promptLength < 1) {
            return badRequest("input_ids must hold at least one prompt token; there are " + inputLength
                    + ", and resumed says that " + in.resumed() + " of them are output");
        }
        if (promptLength > config.maxReqInputLen()) {
            return badRequest("Input length (" + promptLength + " tokens) exceeds the maximum allowed length ("
                    + config.maxReqInputLen() + " tokens). Use a shorter input.");
        }
        if (inputLength >= config.maxReqLen()) {
            return badRequest("Input length (" + inputLength + " tokens, earlier output included) exceeds the maximum"
                    + " allowed length (" + (config.maxReqLen() - 1) + " tokens).");
        }
        for (int id : in.inputIds()) {
            if (id < 0 || id >= engine.vocabularySize()) {
                return badRequest("input_ids holds token id " + id + ", the vocabulary has 0 to "
                        + (engine.vocabularySize() - 1) + ".");
            }
        }
        return null;
    }

    /** Why this rank takes no further request now, or null. */
    FinishReason.Abort refuse(int waiting) {
        return waiting < config.maxQueuedRequests()
                ? null
                : new FinishReason.Abort("The request queue is full.", SERVICE_UNAVAILABLE, UNAVAILABLE_TYPE);
    }

    /** The request; its stop strings know the output of earlier attempts. */
    Request accept(TokenizedGenerateReqInput in, long nowNs) {
        int inputLength = in.inputIds().length;
        Request r = new Request(
                in,
                Math.min(
                        mostNewTokens,
                        config.clipMaxNewTokens(in.samplingParams().maxNewTokens(), inputLength)),
                config.detokenizers(),
                nowNs);
        if (r.stopStrings != null) {
            for (int i = r.promptLength(); i < inputLength; i++) {
                r.stopStrings.prime(engine.tokenBytes(in.inputIds()[i]));
            }
        }
        return r;
    }

    static FinishReason.Abort badRequest(String message) {
        return new FinishReason.Abort(message, BAD_REQUEST, "BadRequestError");
    }
}
