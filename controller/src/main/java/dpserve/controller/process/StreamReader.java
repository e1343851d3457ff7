package dpserve.controller.process;

import dpserve.controller.DataParallelController;
import dpserve.controller.policy.RequestInfo;
import dpserve.io.LogLimiter;
import dpserve.io.codec.CodecException;
import dpserve.io.codec.IntArrayForm;
import dpserve.io.codec.MessageCodec;
import dpserve.io.codec.RequestHeader;
import dpserve.io.message.Message;
import dpserve.io.message.WatchLoadUpdateReq;
import dpserve.io.socket.Receiver;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.BooleanSupplier;

/**
 * Reads the frames of one request stream on the thread that receives them: of requests the header, of everything else
 * the whole message. A frame that is none of both is dropped and counted, except one with a tag that is unknown here,
 * which may be a control call of SGLang's.
 *
 * <p>While it keeps up it takes turns with the controller itself. Once many messages have come without a pause it leaves
 * them in the inbox, so that reading and deciding share two cores and reports are never behind the requests that wait.
 */
final class StreamReader implements Receiver.Handler {

    /** So many messages without a pause are a burst and no backlog: some tens of microseconds of work. */
    private static final int BURST = 32;

    /** Left in the inbox at once: one lock for many, and still well under the batch that the controller takes. */
    private static final int GROUP = 32;

    private static final long[] NO_HASHES = {};

    private final int stream;
    private final BooleanSupplier prefixHashes;
    private final DataParallelController controller;
    private final Inbox inbox;
    private final Turn turn;
    private final ReportInjection reports;
    private final LogLimiter limiter;
    private final RequestHeader header = new RequestHeader();
    private final MessageCodec codec = new MessageCodec(IntArrayForm.INT32);
    private final List<Inbox.Waiting> group = new ArrayList<>();
    private int withoutPause;

    /** @param prefixHashes whether the policy wants them now */
    StreamReader(
            int stream,
            BooleanSupplier prefixHashes,
            DataParallelController controller,
            Inbox inbox,
            Turn turn,
            ReportInjection reports,
            LogLimiter limiter) {
        this.stream = stream;
        this.prefixHashes = prefixHashes;
        this.controller = controller;
        this.inbox = inbox;
        this.turn = turn;
        this.reports = reports;
        this.limiter = limiter;
    }

    @Override
    public void accept(byte[] frame) {
        withoutPause++;
        try {
            read(frame);
        } catch (CodecException e) {
            limiter.warn("bad_frame_" + e.kind().name().toLowerCase(Locale.ROOT), e.getMessage());
        }
    }

    @Override
    public void caughtUp() {
        withoutPause = 0;
        leaveGroup();
    }

    private void leaveGroup() {
        if (!group.isEmpty()) {
            inbox.addStream(group);
            group.clear();
        }
    }

    /** Deals with it now if nothing of this stream can be overtaken, else leaves it for later. */
    private void deliver(Inbox.StreamItem item, int bytes) {
        if (group.isEmpty() && withoutPause <= BURST && turn.tryEnter()) {
            try {
                item.deliver(System.nanoTime());
            } catch (RuntimeException e) {
                limiter.warn("failed", e.toString()); // as in the controller's thread: a defect costs one message
            } finally {
                turn.leave();
            }
            return;
        }
        group.add(new Inbox.Waiting(item, bytes));
        if (group.size() == GROUP) {
            leaveGroup();
        }
    }

    private void read(byte[] frame) throws CodecException {
        String tag = header.peekTag(frame);
        switch (tag) {
            case RequestHeader.GENERATE, RequestHeader.EMBEDDING -> request(frame);
            case RequestHeader.BATCH_GENERATE, RequestHeader.BATCH_EMBEDDING -> {
                for (byte[] item : header.splitBatch(frame)) {
                    request(item);
                }
            }
            default -> message(tag, frame);
        }
    }

    private void request(byte[] frame) throws CodecException {
        header.read(frame);
        Integer pin = header.routedDpRank();
        Long room = header.bootstrapRoom();
        RequestInfo info = new RequestInfo(
                header.rid(),
                header.httpWorkerIpc(),
                header.promptTokens(),
                pin == null ? RequestInfo.NO_RANK : pin,
                room == null ? RequestInfo.NO_ROOM : room,
                header.routingKey(),
                prefixHashes.getAsBoolean() ? header.prefixHashes(frame) : NO_HASHES,
                header.hasDispatchTime());
        deliver(nowNs -> controller.onRequest(stream, info, frame, nowNs), frame.length);
    }

    private void message(String tag, byte[] frame) throws CodecException {
        Message message;
        try {
            message = codec.decode(frame);
        } catch (CodecException e) {
            if (e.kind() != CodecException.Kind.UNKNOWN_TAG) {
                throw e;
            }
            deliver(nowNs -> controller.onUnknownTag(stream, tag, frame), frame.length);
            return;
        }
        if (message instanceof WatchLoadUpdateReq update) {
            reports.add(update.loads());
        } else {
            deliver(nowNs -> controller.onStreamMessage(stream, message, frame, nowNs), frame.length);
        }
    }
}
