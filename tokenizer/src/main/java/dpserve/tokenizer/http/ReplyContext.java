package dpserve.tokenizer.http;

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
 */
public record ReplyContext(
        String servedModelName,
        String weightVersion,
        boolean incrementalStreaming,
        LongSupplier clock,
        DoubleSupplier epochClock) {

    long nowNs() {
        return clock.getAsLong();
    }

    double epochSeconds() {
        return epochClock.getAsDouble();
    }
}
