package dpserve.tokenizer.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One HTTP request and its one reply. Used on the event loop only; whatever is written after the reply is complete, or
 * after the client has left, goes nowhere.
 */
public final class Exchange {
    static final ObjectMapper JSON = new ObjectMapper();

    private static final Logger LOG = LoggerFactory.getLogger(Exchange.class);
    private static final String RETRY_AFTER_S = "1";
    private static final byte[] EVENT_BEGIN = "data: ".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] EVENT_END = "\n\n".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] DONE = "data: [DONE]\n\n".getBytes(StandardCharsets.US_ASCII);

    /** Told when a reply is complete, so the connection's next request can begin. */
    interface Completion {
        void onReplied(boolean keepAlive);
    }

    private final Channel channel;
    private final long acceptedNs;
    private final boolean keepAlive;
    private final FlushQueue flushes;
    private final Completion completion;
    private boolean streaming;
    private boolean done;
    private Runnable onClientGone;

    /** Writes what the reply has to say by then; null if it has nothing. */
    private Runnable pending;

    /** What would have been written while the client read too little. */
    private long heldBytes;

    /** Cuts a client that has read too little for too long; null while it reads. */
    private Future<?> unreadLimit;

    /** @param acceptedNs when the request was here whole, monotonic */
    Exchange(Channel channel, long acceptedNs, boolean keepAlive, FlushQueue flushes, Completion completion) {
        this.channel = channel;
        this.acceptedNs = acceptedNs;
        this.keepAlive = keepAlive;
        this.flushes = flushes;
        this.completion = completion;
    }

    /** Runs if the client leaves before the reply is complete. */
    public void onClientGone(Runnable action) {
        onClientGone = action;
    }

    void clientGone() {
        forgetUnreadLimit();
        if (!done) {
            done = true;
            if (onClientGone != null) {
                onClientGone.run();
            }
        }
    }

    /** When the request was here whole, monotonic nanoseconds. */
    long acceptedNs() {
        return acceptedNs;
    }

    /** Whether a stream of events has begun. */
    public boolean isStreaming() {
        return streaming;
    }

    /** Whether the reply is complete or the client gone. */
    public boolean isDone() {
        return done;
    }

    /** Replies with JSON. */
    public void json(int status, JsonNode body) {
        reply(status, "application/json", body.toString().getBytes(StandardCharsets.UTF_8));
    }

    /** Replies with bytes. */
    public void reply(int status, String contentType, byte[] body) {
        reply(status, contentType, body, Map.of());
    }

    /** Replies with bytes and further headers. */
    void reply(int status, String contentType, byte[] body, Map<String, String> headers) {
        if (done) {
            return;
        }
        done = true;
        DefaultFullHttpResponse response = new DefaultFullHttpResponse(
                HttpVersion.HTTP_1_1, HttpResponseStatus.valueOf(status), Unpooled.wrappedBuffer(body));
        headers.forEach(response.headers()::set);
        response.headers().set(HttpHeaderNames.CONTENT_TYPE, contentType);
        response.headers().setInt(HttpHeaderNames.CONTENT_LENGTH, body.length);
        if (status == HttpResponseStatus.SERVICE_UNAVAILABLE.code()
                || status == HttpResponseStatus.TOO_MANY_REQUESTS.code()) {
            response.headers().set(HttpHeaderNames.RETRY_AFTER, RETRY_AFTER_S);
        }
        if (status == HttpResponseStatus.UNAUTHORIZED.code()) {
            response.headers().set(HttpHeaderNames.WWW_AUTHENTICATE, "Bearer");
        }
        finish(response, response);
    }

    /** Begins a stream of server-sent events. */
    public void startEvents() {
        if (done || streaming) {
            return;
        }
        streaming = true;
        HttpResponse response = new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK);
        response.headers().set(HttpHeaderNames.CONTENT_TYPE, "text/event-stream; charset=utf-8");
        response.headers().set(HttpHeaderNames.CACHE_CONTROL, "no-cache");
        HttpUtil.setTransferEncodingChunked(response, true);
        setConnection(response);
        channel.write(response, channel.voidPromise());
        flushes.add(channel);
    }

    /**
     * Has output written at the end of the event loop's tick or, while the client has too much unread, once it has read: what
     * comes until then is written with it, so a reply should write all it has in one event.
     *
     * @param writing runs then, unless the client has left; the same for each call until then
     * @param bytes about how much the output would take by itself: a client that leaves too much unread, or reads nothing
     *     for too long, is cut
     */
    void writeSoon(Runnable writing, int bytes) {
        if (done || !channel.isActive()) {
            return;
        }
        if (pending == null) {
            pending = writing;
            flushes.add(this);
        }
        if (!channel.isWritable()) {
            if (unreadLimit == null) {
                unreadLimit = channel.eventLoop().schedule(this::cut, HttpServer.UNREAD_TIMEOUT_S, TimeUnit.SECONDS);
            }
            heldBytes += bytes;
            if (heldBytes > HttpServer.MAX_UNREAD_BYTES) {
                cut();
            }
        }
    }

    /** The end of the tick, or the client has read. */
    void writePending() {
        if (pending != null && !done && channel.isWritable()) {
            Runnable writing = pending;
            pending = null;
            heldBytes = 0;
            forgetUnreadLimit();
            writing.run();
        }
    }

    private void forgetUnreadLimit() {
        if (unreadLimit != null) {
            unreadLimit.cancel(false);
            unreadLimit = null;
        }
    }

    private void cut() {
        LOG.warn("a client that does not read its stream is cut");
        channel.close();
    }

    /** One event. A client that has left too much unread is cut instead: it must not fill the heap. */
    public void event(byte[] json) {
        if (done || !channel.isActive()) {
            return; // a closed channel is never writable, and its end is on its way to clientGone()
        }
        if (channel.unsafe().outboundBuffer().totalPendingWriteBytes() > HttpServer.MAX_UNREAD_BYTES) {
            cut();
            return;
        }
        ByteBuf event = channel.alloc().buffer(EVENT_BEGIN.length + json.length + EVENT_END.length);
        event.writeBytes(EVENT_BEGIN).writeBytes(json).writeBytes(EVENT_END);
        channel.write(new DefaultHttpContent(event), channel.voidPromise());
        flushes.add(channel);
    }

    /** The event {@code [DONE]} and the end of the stream. */
    public void endEvents() {
        if (done) {
            return;
        }
        done = true;
        channel.write(new DefaultHttpContent(Unpooled.wrappedBuffer(DONE)), channel.voidPromise());
        finish(null, LastHttpContent.EMPTY_LAST_CONTENT);
    }

    private void finish(HttpResponse head, Object last) {
        if (head != null) {
            setConnection(head);
        }
        if (keepAlive) {
            channel.write(last, channel.voidPromise());
        } else {
            channel.write(last).addListener(ChannelFutureListener.CLOSE);
        }
        flushes.add(channel);
        completion.onReplied(keepAlive);
    }

    private void setConnection(HttpResponse response) {
        if (!keepAlive) {
            response.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        }
    }
}
