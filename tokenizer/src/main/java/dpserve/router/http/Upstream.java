package dpserve.router.http;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFactory;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioChannelOption;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import java.net.InetSocketAddress;
import java.net.URI;
import jdk.net.ExtendedSocketOptions;

/**
 * Calls servers, each over a connection of its own that ends with the reply: a call that is given up takes its connection along,
 * which is how the server learns of it. Everything on the one event loop.
 */
public final class Upstream {
    private static final int CONNECT_TIMEOUT_MS = 2_000;
    private static final int MAX_HEADERS = 32 << 10;
    private static final int MAX_PIECE_BYTES = 64 << 10;

    /**
     * A host that lost power says nothing, and TCP believes in it for ever while nothing is sent to it: the kernel asks after
     * 15 s of silence, and gives up after three questions without an answer, 30 s after the last word.
     */
    private static final int KEEPALIVE_IDLE_S = 15;

    private static final int KEEPALIVE_INTERVAL_S = 5;
    private static final int KEEPALIVE_COUNT = 3;

    /** Hears of one reply; nothing follows {@link #onEnd} or {@link #onBroken}. */
    public interface Listener {
        /** The status line is here. */
        void onStatus(int status, String contentType);

        /** A piece of the body. */
        void onPiece(byte[] piece);

        /** The reply is complete. */
        void onEnd();

        /** There will be no complete reply. */
        void onBroken(String why);
    }

    /** A call under way. */
    public interface Call {
        /** Gives it up; its listener hears nothing more. */
        void cancel();
    }

    private final EventLoop loop;
    private final ChannelFactory<SocketChannel> channels;

    public Upstream(EventLoop loop) {
        this(loop, NioSocketChannel::new);
    }

    /** @param channels makes the channel of each call; may throw, as when the process has no file descriptor left */
    Upstream(EventLoop loop, ChannelFactory<SocketChannel> channels) {
        this.loop = loop;
        this.channels = channels;
    }

    /**
     * Sends a request.
     *
     * @param server scheme http, host, port
     * @param authorization the client's header, or null
     * @param body null for none
     */
    public Call send(URI server, String method, String target, String authorization, byte[] body, Listener listener) {
        Reply reply = new Reply(listener);
        ChannelFuture connecting = new Bootstrap()
                .group(loop)
                .channelFactory(channels)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_TIMEOUT_MS)
                .option(ChannelOption.SO_KEEPALIVE, true)
                .option(NioChannelOption.of(ExtendedSocketOptions.TCP_KEEPIDLE), KEEPALIVE_IDLE_S)
                .option(NioChannelOption.of(ExtendedSocketOptions.TCP_KEEPINTERVAL), KEEPALIVE_INTERVAL_S)
                .option(NioChannelOption.of(ExtendedSocketOptions.TCP_KEEPCOUNT), KEEPALIVE_COUNT)
                .handler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline()
                                .addLast(new HttpClientCodec(4096, MAX_HEADERS, MAX_PIECE_BYTES))
                                .addLast(reply);
                    }
                })
                .connect(new InetSocketAddress(server.getHost(), server.getPort()));
        Channel channel = connecting.channel();
        connecting.addListener(f -> {
            if (f.isSuccess()) {
                channel.writeAndFlush(request(server, method, target, authorization, body));
            } else {
                // Never before this call has returned: a name without address fails at once.
                loop.execute(() -> reply.broken("no connection to " + server.getAuthority()));
            }
        });
        return () -> {
            reply.over = true;
            if (channel.isRegistered()) { // one that could not be made has no loop to be closed on
                channel.close();
            }
        };
    }

    private static FullHttpRequest request(
            URI server, String method, String target, String authorization, byte[] body) {
        FullHttpRequest request = new DefaultFullHttpRequest(
                HttpVersion.HTTP_1_1,
                HttpMethod.valueOf(method),
                target,
                body == null ? Unpooled.EMPTY_BUFFER : Unpooled.wrappedBuffer(body));
        request.headers()
                .set(HttpHeaderNames.HOST, server.getRawAuthority())
                .set(HttpHeaderNames.CONTENT_TYPE, "application/json")
                .set(HttpHeaderNames.CONTENT_LENGTH, body == null ? 0 : body.length)
                .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        if (authorization != null) {
            request.headers().set(HttpHeaderNames.AUTHORIZATION, authorization);
        }
        return request;
    }

    /** Turns what comes over one connection into calls of its listener. */
    private static final class Reply extends SimpleChannelInboundHandler<HttpObject> {
        private final Listener listener;
        private boolean over;

        Reply(Listener listener) {
            this.listener = listener;
        }

        @Override
        protected void channelRead0(ChannelHandlerContext ctx, HttpObject part) {
            if (!over && part instanceof HttpResponse head) {
                listener.onStatus(head.status().code(), head.headers().get(HttpHeaderNames.CONTENT_TYPE, ""));
            }
            if (!over
                    && part instanceof HttpContent content
                    && content.content().isReadable()) {
                listener.onPiece(ByteBufUtil.getBytes(content.content()));
            }
            if (!over && part instanceof LastHttpContent) {
                over = true;
                listener.onEnd();
                ctx.close();
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            broken("the server closed the connection");
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            broken(String.valueOf(cause.getMessage()));
            ctx.close();
        }

        private void broken(String why) {
            if (!over) {
                over = true;
                listener.onBroken(why);
            }
        }
    }
}
