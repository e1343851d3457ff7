package dpserve.tokenizer.http;

import dpserve.io.LogLimiter;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.PrematureChannelClosureException;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One client connection: its requests are answered one after another, in order, also when they were pipelined. */
final class HttpConnection extends SimpleChannelInboundHandler<FullHttpRequest> {
    private static final Logger LOG = LoggerFactory.getLogger(HttpConnection.class);

    /** Pipelined requests that may wait; a client with more is cut. */
    private static final int MAX_PIPELINED = 64;

    private static final byte[] NOTHING = {};

    /** @param refused whether its body was too much to wait, so that it gets 503 in its turn */
    private record Pending(HttpCall call, long acceptedNs, boolean keepAlive, boolean refused) {}

    private final Router router;
    private final FlushQueue flushes;
    private final LongSupplier clock;
    private final int maxBodyBytes;
    private final Deque<Pending> waiting = new ArrayDeque<>();

    /** Bodies that wait here. */
    private long waitingBytes;

    private Exchange current;

    /** From the beginning of a request until no further one waits. */
    private boolean busy;

    /** @param maxBodyBytes of the bodies that wait here together; the same as of one body */
    HttpConnection(Router router, FlushQueue flushes, LongSupplier clock, int maxBodyBytes) {
        this.clock = clock;
        this.maxBodyBytes = maxBodyBytes;
        this.router = router;
        this.flushes = flushes;
    }

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, FullHttpRequest request) {
        boolean keepAlive = HttpUtil.isKeepAlive(request);
        if (request.decoderResult().isFailure()) {
            Exchange exchange = new Exchange(ctx.channel(), clock.getAsLong(), false, flushes, k -> {});
            Throwable cause = request.decoderResult().cause();
            if (cause instanceof TooLongHttpHeaderException) {
                exchange.json(
                        431, ErrorReplies.sglang("The headers are longer than " + HttpServer.MAX_HEADERS + " bytes."));
            } else if (cause instanceof TooLongHttpLineException) {
                exchange.json(
                        414,
                        ErrorReplies.sglang("The target is longer than " + HttpServer.MAX_INITIAL_LINE + " bytes."));
            } else {
                exchange.json(ErrorReplies.BAD_REQUEST, ErrorReplies.sglang("The request is not valid HTTP."));
            }
            return;
        }
        if (!busy) {
            begin(ctx, new Pending(call(request, false), clock.getAsLong(), keepAlive, false));
        } else if (waiting.size() < MAX_PIPELINED) {
            boolean refused = !mayWait(request.content().readableBytes());
            waiting.add(new Pending(call(request, refused), clock.getAsLong(), keepAlive, refused));
        } else {
            ctx.close();
        }
    }

    private static HttpCall call(FullHttpRequest request, boolean withoutBody) {
        return new HttpCall(
                request.method().name(),
                request.uri(),
                request.headers().get(HttpHeaderNames.AUTHORIZATION),
                withoutBody ? NOTHING : ByteBufUtil.getBytes(request.content()));
    }

    /**
     * Whether a body may wait, and counts it if it may. What may not is refused in its turn rather than left unread: a channel
     * that does not read is not told either that its client has left, and a stream would go on for nobody.
     */
    private boolean mayWait(int bytes) {
        if (waitingBytes + bytes > maxBodyBytes || !router.waitingBodies().add(bytes)) {
            return false;
        }
        waitingBytes += bytes;
        return true;
    }

    private void waitsNoMore(Pending pending) {
        waitingBytes -= pending.call().body().length;
        router.waitingBodies().remove(pending.call().body().length);
    }

    private void beginNext(ChannelHandlerContext ctx) {
        Pending next = waiting.poll();
        if (next != null) {
            waitsNoMore(next);
            begin(ctx, next);
        }
    }

    private void begin(ChannelHandlerContext ctx, Pending request) {
        HttpCall call = request.call();
        Exchange exchange = new Exchange(ctx.channel(), request.acceptedNs(), request.keepAlive(), flushes, stays -> {
            current = null;
            if (waiting.isEmpty()) {
                busy = false;
            } else if (stays) {
                // Not from within the reply that has just ended.
                ctx.executor().execute(() -> beginNext(ctx));
            }
        });
        current = exchange;
        busy = true;
        if (request.refused()) {
            Router.tooMuch(
                    call,
                    exchange,
                    "Too many bytes of requests wait for their turn (limit " + maxBodyBytes + " on a connection, "
                            + router.waitingBodies().maxBytes() + " in all).");
            return;
        }
        try {
            router.handle(call, exchange);
        } catch (RuntimeException e) {
            LOG.error("{} {} failed", LogLimiter.printable(call.method()), LogLimiter.printable(call.path()), e);
            exchange.json(ErrorReplies.INTERNAL, ErrorReplies.sglang("Internal server error."));
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        if (current != null && ctx.channel().isWritable()) {
            // Not from within the flush that has made room.
            flushes.add(current);
        }
        ctx.fireChannelWritabilityChanged();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        waiting.forEach(this::waitsNoMore);
        waiting.clear();
        if (current != null) {
            current.clientGone();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        // A client that leaves in the middle of its request is no fault of this server.
        if (!(cause instanceof IOException) && !(cause instanceof PrematureChannelClosureException)) {
            LOG.warn("connection closed: {}", cause.toString());
        }
        ctx.close();
    }
}
