package dpserve.io.message;

/**
 * Where a room is. Prefill rank to bootstrap server when the request arrives, and again every second until it is pulled;
 * bootstrap server to decode rank as the answer.
 *
 * @param room bootstrap_room of the request
 * @param dpRank the prefill rank
 * @param incarnation the prefill rank's; of two claims of one room the newer incarnation of a rank wins
 * @param endpoint the prefill rank's KV endpoint
 */
public record KvRoute(long room, int dpRank, long incarnation, String endpoint) implements Message {}
