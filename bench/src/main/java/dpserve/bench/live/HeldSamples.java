package dpserve.bench.live;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * Moments of a run at which the ranks together held a certain number of requests, and how many of those moments found them
 * even. Each rank answers a call between two of its steps, so the counts of one moment lie up to a step apart.
 */
public final class HeldSamples {
    private final int ranks;
    private final int inFlight;
    private int full;
    private int even;

    /**
     * @param ranks number of ranks
     * @param inFlight requests held together in the moments that count
     */
    public HeldSamples(int ranks, int inFlight) {
        this.ranks = ranks;
        this.inFlight = inFlight;
    }

    /** Takes one answer of /v1/loads; one that lacks a rank does not count. */
    public void add(JsonNode loads) {
        JsonNode list = loads.path("loads");
        int total = 0;
        int most = 0;
        for (JsonNode load : list) {
            int held = load.path("num_running_reqs").asInt()
                    + load.path("num_waiting_reqs").asInt();
            total += held;
            most = Math.max(most, held);
        }
        if (list.size() == ranks && total == inFlight) {
            full++;
            even += most == (inFlight + ranks - 1) / ranks ? 1 : 0;
        }
    }

    /** Moments with that many held. */
    public int full() {
        return full;
    }

    /** Those of them in which no rank held more than the even share. */
    public int even() {
        return even;
    }
}
