package dpserve.bench.client;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * Posts requests over HTTP/1.1 and hands the replies, event by event, to their readers. One network thread does everything;
 * {@link #loop} is that thread, and all but the constructor and {@link #close} must be called on it. Connections are kept and
 * used again, the one used last first; there is no limit of their number.
 */
public final class HttpLoadClient implements AutoCloseable {
    /** A body piece larger than Netty's 8 KiB default saves calls where events are long. */
    private static final int MAX_PIECE_BYTES = 65_536;

    private static final int CONNECT_TIMEOUT_MS = 10_000;

    private final MultiThreadIoEventLoopGroup group;
    private final EventLoop loop;
    private final Bootstrap bootstrap;
    private final ArrayDeque<Channel> idle = new ArrayDeque<>();
    private final URI base;
    private final String path;
    private final Map<String, String> headers;
    private final LongSupplier clock;

    /**
     * @param base scheme, host and port, perhaps a path in front of all others
     * @param headers sent with each request
     * @param clock monotonic, nanoseconds
     */
    public HttpLoadClient(URI base, String path, Map<String, String> headers, LongSupplier clock) {
        this.base = base;
        this.path = base.getRawPath() + path;
        this.headers = headers;
        this.clock = clock;
        group = new MultiThreadIoEventLoopGroup(
                1, new DefaultThreadFactory("bench-client", true), NioIoHandler.newFactory());
        loop = group.next();
        bootstrap = new Bootstrap()
                .group(group)
                .channel(NioSocketChannel.class)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_TIMEOUT_MS)
                .remoteAddress(new InetSocketAddress(base.getHost(), base.getPort()))
                .handler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        channel.pipeline()
                                .addLast(new HttpClientCodec(4096, 65_536, MAX_PIECE_BYTES))
                                .addLast(new Connection(HttpLoadClient.this, clock));
                    }
                });
    }

    EventLoop loop() {
        return loop;
    }

    long nowNs() {
        return clock.getAsLong();
    }

    void send(Call call) {
        call.sentNs = nowNs();
        Channel channel = idle.poll();
        if (channel != null) {
            write(channel, call);
            return;
        }
        ChannelFuture connecting = bootstrap.connect();
        connecting.addListener(f -> {
            if (f.isSuccess()) {
                write(connecting.channel(), call);
            } else {
                call.end(nowNs(), "no connection: " + f.cause().getMessage());
            }
        });
    }

    private void write(Channel channel, Call call) {
        if (call.isOver()) {
            idle.push(channel);
            return;
        }
        FullHttpRequest request = new DefaultFullHttpRequest(
                HttpVersion.HTTP_1_1, HttpMethod.POST, path, Unpooled.wrappedBuffer(call.body));
        request.headers()
                .set(HttpHeaderNames.HOST, base.getRawAuthority())
                .set(HttpHeaderNames.CONTENT_TYPE, "application/json")
                .set(HttpHeaderNames.CONTENT_LENGTH, call.body.length);
        headers.forEach((name, value) -> request.headers().set(name, value));
        if (call.routingKey != null) {
            request.headers().set("X-SMG-Routing-Key", call.routingKey);
        }
        channel.pipeline().get(Connection.class).begin(call);
        call.drop = channel::close;
        channel.writeAndFlush(request).addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
    }

    void idle(Channel channel) {
        idle.push(channel);
    }

    void closed(Channel channel) {
        idle.remove(channel);
    }

    /** Drops all connections and ends the network thread. */
    @Override
    public void close() {
        group.shutdownGracefully(0, 1, java.util.concurrent.TimeUnit.SECONDS).awaitUninterruptibly();
    }
}
