package dpserve.tokenizer.http;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioChannelOption;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpServerCodec;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * The HTTP server: one event loop thread that accepts, reads, runs the tokenizer manager and writes. Several workers
 * bind the same port with SO_REUSEPORT and the kernel spreads connections over them.
 */
public final class HttpServer implements AutoCloseable {
    static final int MAX_INITIAL_LINE = 8 << 10;
    static final int MAX_HEADERS = 32 << 10;
    private static final int MAX_CHUNK = 64 << 10;

    /** Connections waiting to be accepted: a burst of a thousand clients must not be refused. */
    private static final int BACKLOG = 4096;

    /** A client that has this much unread is not reading: it is cut, so it cannot fill the heap. */
    static final int MAX_UNREAD_BYTES = 8 << 20;

    /** A client that reads nothing this long while output waits for it is cut, as nginx does (send_timeout). */
    static final int UNREAD_TIMEOUT_S = 60;

    /** Output for a client that has this much unread waits and is merged: enough to keep any connection busy. */
    private static final int HOLD_BYTES = 256 << 10;

    private final MultiThreadIoEventLoopGroup group;
    private final LongSupplier clock;
    private final FlushQueue flushes;
    private Channel listening;

    /**
     * Starts the event loop; {@link #listen} opens the port.
     *
     * @param clock monotonic nanoseconds
     */
    public HttpServer(LongSupplier clock) {
        this.clock = clock;
        group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
        flushes = new FlushQueue(loop());
    }

    /** The one thread that everything runs on. */
    public EventLoop loop() {
        return (EventLoop) group.next();
    }

    /**
     * Opens the port.
     *
     * @param maxBodyBytes longest request body; a longer one gets 413
     * @param router finds the endpoint of each request
     * @throws BindException if the port is in use
     */
    public void listen(String host, int port, int maxBodyBytes, Router router)
            throws BindException, InterruptedException {
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(group)
                .channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .option(ChannelOption.SO_REUSEADDR, true)
                .option(NioChannelOption.of(StandardSocketOptions.SO_REUSEPORT), true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(
                        ChannelOption.WRITE_BUFFER_WATER_MARK, new WriteBufferWaterMark(HOLD_BYTES / 2, HOLD_BYTES))
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline()
                                .addLast(new HttpServerCodec(MAX_INITIAL_LINE, MAX_HEADERS, MAX_CHUNK))
                                .addLast(new AuthGate(router.keys()))
                                .addLast(new HttpObjectAggregator(maxBodyBytes))
                                .addLast(new HttpConnection(router, flushes, clock, maxBodyBytes));
                    }
                });
        try {
            listening = bootstrap.bind(new InetSocketAddress(host, port)).sync().channel();
        } catch (Exception e) {
            if (e instanceof BindException bind) {
                throw bind;
            }
            if (e instanceof InterruptedException interrupted) {
                throw interrupted;
            }
            throw new IllegalStateException("cannot listen on " + host + ":" + port, e);
        }
    }

    /**
     * Runs a task on the event loop, but not before the loop has looked at all its connections: Netty takes scheduled tasks once for each look,
     * and others as long as there are some.
     */
    public void afterIo(Runnable task) {
        loop().schedule(task, 0, TimeUnit.NANOSECONDS);
    }

    /** Takes no further connections; those that are open go on. */
    public void stopListening() {
        if (listening != null) {
            listening.close();
        }
    }

    @Override
    public void close() {
        stopListening();
        group.shutdownGracefully(0, 2, TimeUnit.SECONDS).awaitUninterruptibly();
    }
}
