package dpserve.controller.process;

import dpserve.controller.DataParallelController;
import dpserve.controller.policy.RequestInfo;
import dpserve.io.LogLimiter;
import dpserve.io.codec.CodecException;
import dpserve.io.codec.EndedRids;
import dpserve.io.codec.MessageCodec;
import dpserve.io.codec.RequestHeader;
import dpserve.io.message.Message;
import dpserve.io.message.WatchLoadUpdateReq;
import dpserve.io.socket.Receiver;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.BooleanSupplier;
import java.util.function.LongConsumer;

/**
 * Reads the frames of one request stream on the thread that receives them: of requests the header, of everything else
 * the whole message. A frame that is none of both is dropped and counted, except one with a tag that is unknown here,
 * which may be a control call of SGLang's.
 *
 * <p>It takes turns with the controller itself, for all that it found waiting at once: one turn for many messages, and
 * nobody to wake. Only what it would have to keep too long, because others have the turn, goes to the controller's thread.
 */
final class StreamReader implements Receiver.Handler {

    /** All that JeroMQ reads at once of ordinary prompts: what a group sends leaves together, and reports do not wait for its end. */
    private static final int GROUP = 256;

    /** Tries a few times to get the turn before it leaves the messages to the controller's thread, which has to be woken. */
    private static final int MAX_KEPT = 2 * GROUP;

    /** Long prompts: a group ends here too. */
    private static final int GROUP_BYTES = 1 << 20;

    private static final long[] NO_HASHES = {};

    private final int stream;
    private final BooleanSupplier prefixHashes;
    private final DataParallelController controller;
    private final Inbox inbox;
    private final Turn turn;
    private final ReportInjection injection;
    private final ReportBatch reports;
    private final LogLimiter limiter;
    private final RequestHeader header = new RequestHeader();
    private final MessageCodec codec;
    private final List<Inbox.StreamItem> group = new ArrayList<>();
    private int groupBytes;
    private int nextTry = GROUP;

    /** A class of its own, and only one besides: what is called 500,000 times a second can then be compiled into its caller. */
    private record Request(DataParallelController controller, int stream, RequestInfo info, byte[] frame)
            implements Inbox.StreamItem {
        @Override
        public void deliver(long nowNs) {
            controller.onRequest(stream, info, frame, nowNs);
        }

        @Override
        public int bytes() {
            return frame.length;
        }
    }

    private record Other(LongConsumer controller, int bytes) implements Inbox.StreamItem {
        @Override
        public void deliver(long nowNs) {
            controller.accept(nowNs);
        }
    }

    /**
     * @param prefixHashes whether the policy wants them now
     * @param codec for this thread
     * @param reports for this thread
     */
    StreamReader(
            int stream,
            BooleanSupplier prefixHashes,
            DataParallelController controller,
            Inbox inbox,
            Turn turn,
            ReportInjection injection,
            MessageCodec codec,
            ReportBatch reports,
            LogLimiter limiter) {
        this.stream = stream;
        this.prefixHashes = prefixHashes;
        this.controller = controller;
        this.inbox = inbox;
        this.turn = turn;
        this.injection = injection;
        this.codec = codec;
        this.reports = reports;
        this.limiter = limiter;
    }

    @Override
    public void accept(byte[] frame) {
        try {
            read(frame);
        } catch (CodecException e) {
            limiter.warn("bad_frame_" + e.kind().name().toLowerCase(Locale.ROOT), e.getMessage());
        }
    }

    @Override
    public void caughtUp() {
        reports.flush();
        if (!group.isEmpty() && !deliverGroup()) {
            leaveGroup();
        }
    }

    private void add(Inbox.StreamItem item) {
        group.add(item);
        groupBytes += item.bytes();
        if (group.size() < nextTry && groupBytes < GROUP_BYTES) {
            return;
        }
        reports.flush();
        if (!deliverGroup()) {
            nextTry = group.size() + GROUP;
            if (group.size() >= MAX_KEPT || groupBytes >= GROUP_BYTES) {
                leaveGroup();
            }
        }
    }

    /** Deals with what was read, unless another has the turn or something of a stream would be overtaken. */
    private boolean deliverGroup() {
        if (!turn.tryEnter()) {
            return false;
        }
        try {
            long nowNs = System.nanoTime();
            for (int i = 0; i < group.size(); i++) {
                turn.dealWithUrgent();
                deliver(group.get(i), nowNs);
            }
        } finally {
            turn.leave();
        }
        clear();
        return true;
    }

    private void deliver(Inbox.StreamItem item, long nowNs) {
        try {
            item.deliver(nowNs);
        } catch (RuntimeException e) {
            limiter.warn("failed", e.toString()); // as in the controller's thread: a defect costs one message
        }
    }

    private void leaveGroup() {
        inbox.addStream(group);
        clear();
    }

    private void clear() {
        group.clear();
        groupBytes = 0;
        nextTry = GROUP;
    }

    private void read(byte[] frame) throws CodecException {
        if (EndedRids.matches(frame)) {
            EndedRids ended = EndedRids.read(frame);
            add(new Other(nowNs -> controller.onEndNotice(stream, ended, nowNs), frame.length));
            return;
        }
        if (reports.offer(frame)) {
            return;
        }
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
        add(new Request(controller, stream, info, frame));
    }

    private void message(String tag, byte[] frame) throws CodecException {
        Message message;
        try {
            message = codec.decode(frame);
        } catch (CodecException e) {
            if (e.kind() != CodecException.Kind.UNKNOWN_TAG) {
                throw e;
            }
            add(new Other(nowNs -> controller.onUnknownTag(stream, tag, frame), frame.length));
            return;
        }
        if (message instanceof WatchLoadUpdateReq update) {
            reports.flush();
            injection.add(update.loads());
        } else {
            add(new Other(nowNs -> controller.onStreamMessage(stream, message, frame, nowNs), frame.length));
        }
    }
}
