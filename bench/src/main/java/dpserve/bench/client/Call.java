package dpserve.bench.client;

/**
 * One request on its way. Touched by the client's network thread alone.
 */
final class Call {
    final byte[] body;
    final String routingKey;
    final ReplyReader reader;
    private final Ended ended;

    long sentNs;
    long lastEventNs;
    long events;

    /** Drops the connection that carries this request, once there is one. */
    Runnable drop = () -> {};

    private boolean over;

    /** Called once for each call. */
    interface Ended {
        /** @param lost what broke off the transfer; null if it ended in order */
        void ended(Call call, String lost);
    }

    Call(byte[] body, String routingKey, ReplyReader reader, Ended ended) {
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
        ended.ended(this, lost);
    }
}
