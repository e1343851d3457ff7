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

    private record Pending(HttpCall call, long acceptedNs, boolean keepAlive) {}

    private final Router router;
    private final FlushQueue flushes;
    private final LongSupplier clock;
    private final Deque<Pending> waiting = new ArrayDeque<>();
    private Exchange current;

    /** From the beginning of a request until no further one waits. */
    private boolean busy;

    HttpConnection(Router router, FlushQueue flushes, LongSupplier clock) {
        this.clock = clock;
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
        HttpCall call = new HttpCall(
                request.method().name(),
                request.uri(),
                request.headers().get(HttpHeaderNames.AUTHORIZATION),
                ByteBufUtil.getBytes(request.content()));
        if (!busy) {
            begin(ctx, call, clock.getAsLong(), keepAlive);
        } else if (waiting.size() < MAX_PIPELINED) {
            waiting.add(new Pending(call, clock.getAsLong(), keepAlive));
        } else {
            ctx.close();
        }
    }

    private void beginNext(ChannelHandlerContext ctx) {
        Pending next = waiting.poll();
        if (next != null) {
            begin(ctx, next.call(), next.acceptedNs(), next.keepAlive());
        }
    }

    private void begin(ChannelHandlerContext ctx, HttpCall call, long acceptedNs, boolean keepAlive) {
        Exchange exchange = new Exchange(ctx.channel(), acceptedNs, keepAlive, flushes, stays -> {
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
