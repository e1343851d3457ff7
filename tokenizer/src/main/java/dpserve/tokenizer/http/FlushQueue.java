package dpserve.tokenizer.http;

import io.netty.channel.Channel;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The end of the event loop's tick: replies with new output write it, then each channel with something written is flushed
 * once, however much it got. How long a tick may last is up to who works in it.
 */
final class FlushQueue {
    private static final Logger LOG = LoggerFactory.getLogger(FlushQueue.class);

    private final Executor loop;
    private final Set<Channel> dirty = new LinkedHashSet<>();
    private List<Exchange> waiting = new ArrayList<>();
    private List<Exchange> spare = new ArrayList<>();
    private boolean scheduled;

    /** @param loop the event loop, where everything here runs */
    FlushQueue(Executor loop) {
        this.loop = loop;
    }

    /** The channel has something to flush. */
    void add(Channel channel) {
        schedule();
        dirty.add(channel);
    }

    /** {@link Exchange#writePending} is due at the end of the tick. */
    void add(Exchange exchange) {
        schedule();
        waiting.add(exchange);
    }

    private void schedule() {
        if (!scheduled) {
            scheduled = true;
            loop.execute(this::flush);
        }
    }

    private void flush() {
        List<Exchange> now = waiting;
        waiting = spare;
        for (Exchange exchange : now) {
            try {
                exchange.writePending();
            } catch (RuntimeException e) {
                // The other replies still have to be written.
                LOG.error("a reply could not be written", e);
            }
        }
        now.clear();
        spare = now;
        dirty.forEach(Channel::flush);
        dirty.clear();
        scheduled = false;
    }
}
