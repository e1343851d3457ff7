package dpserve.bench.profile;

/**
 * What one decode log line says about the steps since the line before it.
 *
 * @param requests running requests
 * @param kvTokens KV tokens, the mean over these steps
 * @param stepMs mean duration of a step, ms
 */
public record Observation(double requests, double kvTokens, double stepMs) {}
