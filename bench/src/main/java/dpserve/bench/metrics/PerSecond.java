package dpserve.bench.metrics;

import java.util.List;

/** Tokens and requests of each second, counted from the first start. */
record PerSecond(int[] tokens, int[] requests) {

    static PerSecond of(List<RequestOutcome> successful) {
        if (successful.isEmpty()) {
            return new PerSecond(new int[1], new int[1]);
        }
        double first =
                successful.stream().mapToDouble(RequestOutcome::startS).min().orElseThrow();
        double last = successful.stream()
                .mapToDouble(o -> o.startS() + o.latencyS())
                .max()
                .orElseThrow();
        int seconds = (int) Math.ceil(last - first) + 1;
        PerSecond p = new PerSecond(new int[seconds], new int[seconds]);
        for (RequestOutcome o : successful) {
            p.add(o, first);
        }
        return p;
    }

    /** The first text counts as one token, each gap as one more. */
    private void add(RequestOutcome o, double first) {
        double start = o.startS() - first;
        double time = start + o.ttftS();
        count(time);
        for (double gap : o.itlS()) {
            time += gap;
            count(time);
        }
        int end = Math.min((int) (start + o.latencyS()), requests.length - 1);
        for (int second = (int) start; second <= end; second++) {
            requests[second]++;
        }
    }

    private void count(double time) {
        int second = (int) time;
        if (second < tokens.length) {
            tokens[second]++;
        }
    }

    int peakTokens() {
        return java.util.Arrays.stream(tokens).max().orElse(0);
    }

    int peakRequests() {
        return java.util.Arrays.stream(requests).max().orElse(0);
    }
}
