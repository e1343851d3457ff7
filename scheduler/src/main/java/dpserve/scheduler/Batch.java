package dpserve.scheduler;

import java.util.List;

/**
 * One step of the engine: for each request the range of its tokens whose KV this step computes. A prefill computes (the
 * next chunk of) a prompt, a decode the newest token of every running request.
 */
public final class Batch {
    /** The two kinds of step. They are never mixed. */
    public enum Mode {
        PREFILL,
        DECODE
    }

    private final Mode mode;
    private final List<Request> requests;
    private final int[] from;
    private final int[] to;

    /**
     * @param from per request, the first token to compute; those before it have their KV already
     * @param to per request, one past the last token to compute
     */
    Batch(Mode mode, List<Request> requests, int[] from, int[] to) {
        this.mode = mode;
        this.requests = requests;
        this.from = from;
        this.to = to;
    }

    /** What kind of step. */
    public Mode mode() {
        return mode;
    }

    /** Number of requests. */
    public int size() {
        return requests.size();
    }

    /** The request at a place of the batch. */
    public Request request(int i) {
        return requests.get(i);
    }

    /** First token to compute. */
    public int from(int i) {
        return from[i];
    }

    /** One past the last token to compute. */
    public int to(int i) {
        return to[i];
    }

    /** Whether the step reaches the request's end, so that it yields a next token; false for all but the last chunk. */
    public boolean completes(int i) {
        return to[i] == requests.get(i).length();
    }

    /** Tokens computed in this step. */
    public int newTokens() {
        int sum = 0;
        for (int i = 0; i < to.length; i++) {
            sum += to[i] - from[i];
        }
        return sum;
    }

    /** KV tokens that the step's attention reads, the new ones included. */
    public long kvTokens() {
        long sum = 0;
        for (int end : to) {
            sum += end;
        }
        return sum;
    }
}
