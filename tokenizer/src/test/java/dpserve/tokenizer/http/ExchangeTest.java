package dpserve.tokenizer.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.LastHttpContent;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ExchangeTest {
    private final Deque<Runnable> tick = new ArrayDeque<>();
    private final FlushQueue flushes = new FlushQueue(tick::add);
    private final EmbeddedChannel channel = new EmbeddedChannel();
    private final Exchange exchange = new Exchange(channel, 0, true, flushes, keepAlive -> {});
    private final StringBuilder text = new StringBuilder();

    @Test
    void shouldWriteOnceATickWhateverCameInIt() {
        say("a");
        say("b");
        assertThat(sent()).isEmpty();
        endTick();
        assertThat(sent()).isEqualTo("data: ab\n\n");
        say("c");
        endTick();
        assertThat(sent()).isEqualTo("data: c\n\n");
    }

    @Test
    void shouldHoldAndMergeWhileTheClientHasTooMuchUnread() {
        exchange.startEvents();
        endTick();
        sent();
        channel.config().setWriteBufferWaterMark(new WriteBufferWaterMark(1, 2));
        channel.write("unread");
        assertThat(channel.isWritable()).isFalse();
        for (int i = 0; i < 100; i++) {
            say("x");
            runTasks();
        }
        assertThat(text).hasSize(100);
        channel.flush(); // the client has read
        assertThat(channel.isWritable()).isTrue();
        flushes.add(exchange);
        endTick();
        assertThat(sent()).isEqualTo("data: " + "x".repeat(100) + "\n\n");
    }

    @Test
    void shouldCutAClientThatLeavesTooMuchUnread() {
        channel.config().setWriteBufferWaterMark(new WriteBufferWaterMark(1, 2));
        channel.write("unread");
        for (int i = 0; i < 7; i++) {
            exchange.writeSoon(() -> {}, 1 << 20);
        }
        assertThat(channel.isOpen()).isTrue();
        exchange.writeSoon(() -> {}, 1 << 20);
        exchange.writeSoon(() -> {}, 1 << 20);
        assertThat(channel.isOpen()).isFalse();
    }

    @Test
    void shouldCutAClientThatReadsNothingForTooLong() {
        channel.freezeTime();
        holdBack();
        say("a");
        channel.advanceTimeBy(HttpServer.UNREAD_TIMEOUT_S - 1, TimeUnit.SECONDS);
        channel.runScheduledPendingTasks();
        assertThat(channel.isOpen()).isTrue();
        channel.advanceTimeBy(2, TimeUnit.SECONDS);
        channel.runScheduledPendingTasks();
        assertThat(channel.isOpen()).isFalse();
    }

    @Test
    void shouldNotCutASlowClientThatReads() {
        channel.freezeTime();
        for (int i = 0; i < 5; i++) {
            holdBack();
            say("a");
            channel.advanceTimeBy(HttpServer.UNREAD_TIMEOUT_S - 1, TimeUnit.SECONDS);
            channel.runScheduledPendingTasks();
            channel.flush(); // it has read
            flushes.add(exchange);
            endTick();
        }
        assertThat(channel.isOpen()).isTrue();
        channel.advanceTimeBy(HttpServer.UNREAD_TIMEOUT_S + 1, TimeUnit.SECONDS);
        channel.runScheduledPendingTasks();
        assertThat(channel.isOpen()).isTrue();
    }

    private void holdBack() {
        channel.config().setWriteBufferWaterMark(new WriteBufferWaterMark(1, 2));
        channel.write("unread");
        assertThat(channel.isWritable()).isFalse();
    }

    @Test
    void shouldWriteTheRestOfATickThoughOneReplyFails() {
        Exchange other = new Exchange(channel, 0, true, flushes, keepAlive -> {});
        other.writeSoon(
                () -> {
                    throw new IllegalStateException("one reply");
                },
                1);
        say("a");
        endTick();
        assertThat(sent()).isEqualTo("data: a\n\n");
    }

    private void say(String more) {
        text.append(more);
        exchange.writeSoon(
                () -> {
                    exchange.event(text.toString().getBytes(StandardCharsets.UTF_8));
                    text.setLength(0);
                },
                more.length());
    }

    private void runTasks() {
        for (Runnable task = tick.poll(); task != null; task = tick.poll()) {
            task.run();
        }
    }

    private void endTick() {
        runTasks();
        channel.flush();
    }

    /** The events that have gone out since the last call. */
    private String sent() {
        StringBuilder sent = new StringBuilder();
        for (Object out = channel.readOutbound(); out != null; out = channel.readOutbound()) {
            if (out instanceof HttpContent content && !(out instanceof LastHttpContent)) {
                ByteBuf bytes = content.content();
                sent.append(bytes.toString(StandardCharsets.UTF_8));
                content.release();
            }
        }
        return sent.toString();
    }
}
