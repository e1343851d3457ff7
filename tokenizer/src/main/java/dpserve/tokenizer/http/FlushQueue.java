package dpserve.tokenizer.http;

import io.netty.channel.Channel;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.Executor;

/** Channels with something written: each is flushed once at the end of the event loop's tick, however much it got. */
final class FlushQueue {
    private final Executor loop;
    private final Set<Channel> dirty = new LinkedHashSet<>();

    /** @param loop the event loop, where everything here runs */
    FlushQueue(Executor loop) {
        this.loop = loop;
    }

    void add(Channel channel) {
        if (dirty.isEmpty()) {
            loop.execute(this::flush);
        }
        dirty.add(channel);
    }

    private void flush() {
        dirty.forEach(Channel::flush);
        dirty.clear();
    }
}
