package dpserve.tokenizer.http;

import dpserve.io.model.Vocabulary;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;

/**
 * What replies say about the server.
 *
 * @param servedModelName the model's name
 * @param weightVersion label of the weights
 * @param incrementalStreaming whether chunks of /generate carry only what is new, instead of everything so far
 * @param clock monotonic nanoseconds
 * @param epochClock seconds since the epoch
 * @param logprobs writes log probabilities
 */
public record ReplyContext(
        String servedModelName,
        String weightVersion,
        boolean incrementalStreaming,
        LongSupplier clock,
        DoubleSupplier epochClock,
        LogprobsJson logprobs) {

    /** @param vocabulary names tokens */
    public ReplyContext(
            String servedModelName,
            String weightVersion,
            boolean incrementalStreaming,
            LongSupplier clock,
            DoubleSupplier epochClock,
            Vocabulary vocabulary) {
        this(servedModelName, weightVersion, incrementalStreaming, clock, epochClock, new LogprobsJson(vocabulary));
    }

    long nowNs() {
        return clock.getAsLong();
    }

    double epochSeconds() {
        return epochClock.getAsDouble();
    }
}
