package dpserve.controller.process;

import dpserve.io.LogLimiter;
import dpserve.io.codec.CodecException;
import dpserve.io.codec.MessageCodec;
import dpserve.io.message.Heartbeat;
import dpserve.io.message.Message;
import dpserve.io.message.WatchLoadUpdateReq;
import dpserve.io.socket.Receiver;
import java.util.List;
import java.util.Locale;
import java.util.function.BooleanSupplier;

/** Reads the controller's own endpoint: hellos, heartbeats and reports, all of which overtake the requests that wait. */
final class EndpointReader implements Receiver.Handler {
    private final MessageCodec codec;
    private final ReportBatch reports;
    private final ReportInjection injection;
    private final Inbox inbox;
    private final Turn turn;
    private final BooleanSupplier direct;
    private final LogLimiter limiter;

    /** @param direct whether the loads in heartbeats are reports now */
    EndpointReader(
            MessageCodec codec,
            ReportBatch reports,
            ReportInjection injection,
            Inbox inbox,
            Turn turn,
            BooleanSupplier direct,
            LogLimiter limiter) {
        this.codec = codec;
        this.reports = reports;
        this.injection = injection;
        this.inbox = inbox;
        this.turn = turn;
        this.direct = direct;
        this.limiter = limiter;
    }

    @Override
    public void accept(byte[] frame) {
        if (reports.offer(frame)) {
            return;
        }
        reports.flush();
        try {
            take(codec.decode(frame));
        } catch (CodecException e) {
            limiter.warn("bad_frame_" + e.kind().name().toLowerCase(Locale.ROOT), e.getMessage());
        }
    }

    @Override
    public void caughtUp() {
        reports.flush();
    }

    private void take(Message message) {
        if (message instanceof WatchLoadUpdateReq update) {
            injection.add(update.loads());
            return;
        }
        inbox.addDirect(message);
        turn.serve();
        if (message instanceof Heartbeat beat && beat.load() != null && direct.getAsBoolean()) {
            injection.add(List.of(beat.load()));
        }
    }
}
