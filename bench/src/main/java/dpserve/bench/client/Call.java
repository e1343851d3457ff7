package dpserve.bench.client;

import java.util.function.BiConsumer;

/**
 * One request on its way. Touched by the client's network thread alone.
 */
final class Call {
    final byte[] body;
    final String routingKey;
    final ReplyReader reader;
    private final BiConsumer<Call, String> ended;

    long sentNs;
    long lastEventNs;
    long events;

    /** Drops the connection that carries this request, once there is one. */
    Runnable drop = () -> {};

    private boolean over;

    /** @param ended called once, with what broke off the transfer or, if it ended in order, null */
    Call(byte[] body, String routingKey, ReplyReader reader, BiConsumer<Call, String> ended) {
        this.body = body;
        this.routingKey = routingKey;
        this.reader = reader;
        this.ended = ended;
    }

    /** Whether it has ended, perhaps before it was sent. */
    boolean isOver() {
        return over;
    }

    void end(long nowNs, String lost) {
        if (over) {
            return;
        }
        over = true;
        if (lastEventNs == 0 || lost != null) {
            lastEventNs = nowNs;
        }
        ended.accept(this, lost);
    }
}
