package dpserve.tokenizer.http;

import com.fasterxml.jackson.core.JsonGenerator;
import dpserve.tokenizer.SequenceState;
import dpserve.tokenizer.Stages;
import java.io.IOException;

/** Stage times in replies. The last stage lasts until the reply is written. */
final class StageJson {
    private static final double NS_PER_S = 1e9;
    private static final int QUEUE = Stages.NAMES.indexOf("queue");
    private static final int PREFILL = Stages.NAMES.indexOf("prefill");
    private static final int SEND = Stages.NAMES.indexOf("send");

    private StageJson() {}

    /**
     * An object of seconds by stage.
     *
     * @param state of a sequence that has ended
     */
    static void stages(JsonGenerator g, SequenceState state, long nowNs) throws IOException {
        double[] seconds = state.stages().seconds();
        double sinceEndS = (nowNs - state.endedNs()) / NS_PER_S;
        g.writeStartObject();
        for (int i = 0; i < seconds.length; i++) {
            g.writeNumberField(Stages.NAMES.get(i), i == SEND ? seconds[i] + sinceEndS : seconds[i]);
        }
        g.writeEndObject();
    }

    /**
     * What of it SGLang's meta_info has, under its names; times are seconds since the epoch by this process's clock. Nothing
     * for a sequence that its rank did not finish.
     *
     * @param nowS seconds since the epoch at {@code nowNs}
     */
    static void sglangNames(JsonGenerator g, SequenceState state, long nowNs, double nowS) throws IOException {
        if (state.stages().current() != SEND) {
            return;
        }
        double[] seconds = state.stages().seconds();
        double receivedS = nowS - (nowNs - state.createdNs()) / NS_PER_S;
        double forwardS = receivedS;
        for (int i = 0; i <= QUEUE; i++) {
            forwardS += seconds[i];
        }
        g.writeNumberField("request_received_ts", receivedS);
        g.writeNumberField("queue_time", seconds[QUEUE]);
        g.writeNumberField("forward_entry_time", forwardS);
        g.writeNumberField("prefill_finished_time", forwardS + seconds[PREFILL]);
    }
}
