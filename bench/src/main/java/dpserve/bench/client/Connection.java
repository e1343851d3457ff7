package dpserve.bench.client;

import dpserve.router.http.SseParser;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.LastHttpContent;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.function.LongSupplier;

/** One connection; carries one call at a time. */
final class Connection extends SimpleChannelInboundHandler<HttpObject> {
    private final HttpLoadClient client;
    private final LongSupplier clock;
    private Call call;
    private HttpResponse head;
    private SseParser events;
    private ByteArrayOutputStream body;
    private String broken;

    Connection(HttpLoadClient client, LongSupplier clock) {
        this.client = client;
        this.clock = clock;
    }

    void begin(Call next) {
        call = next;
        head = null;
    }

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, HttpObject message) {
        if (call == null) {
            ctx.close();
            return;
        }
        long nowNs = clock.getAsLong();
        if (message.decoderResult().isFailure()) {
            broken = "not HTTP: " + message.decoderResult().cause().getMessage();
            ctx.close();
            return;
        }
        if (message instanceof HttpResponse response) {
            head = response;
            String type = response.headers().get(HttpHeaderNames.CONTENT_TYPE, "");
            events = isOk() && type.startsWith("text/event-stream") ? new SseParser() : null;
            body = events == null ? new ByteArrayOutputStream() : null;
        }
        if (message instanceof HttpContent content) {
            try {
                read(content.content(), nowNs);
            } catch (IOException e) {
                broken = "unreadable event: " + e.getMessage();
                ctx.close();
                return;
            }
            if (message instanceof LastHttpContent) {
                end(ctx, nowNs);
            }
        }
    }

    private boolean isOk() {
        return head.status().code() == 200;
    }

    private void read(ByteBuf piece, long nowNs) throws IOException {
        if (events == null) {
            piece.readBytes(body, piece.readableBytes());
            return;
        }
        events.feed(piece, (bytes, from, to) -> {
            call.lastEventNs = nowNs;
            call.events++;
            call.reader.data(bytes, from, to, nowNs);
        });
    }

    private void end(ChannelHandlerContext ctx, long nowNs) {
        String lost = null;
        if (!isOk()) {
            call.reader.failure = head.status().reasonPhrase() + ": " + body.toString(StandardCharsets.UTF_8);
        } else if (events == null) {
            call.lastEventNs = nowNs;
            call.events++;
            try {
                call.reader.whole(body.toByteArray(), nowNs);
            } catch (IOException e) {
                lost = "unreadable reply: " + e.getMessage();
            }
        }
        Call done = call;
        call = null;
        if (HttpUtil.isKeepAlive(head)) {
            client.idle(ctx.channel());
        } else {
            ctx.close();
        }
        done.end(nowNs, lost);
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        client.closed(ctx.channel());
        if (call != null) {
            Call lost = call;
            call = null;
            lost.end(clock.getAsLong(), broken != null ? broken : "the connection closed before the reply's end");
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        broken = cause.getMessage() == null ? cause.toString() : cause.getMessage();
        ctx.close();
    }
}
