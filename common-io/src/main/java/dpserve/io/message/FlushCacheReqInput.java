package dpserve.io.message;

/**
 * Empty the prefix cache.
 *
 * @param timeoutS how long a busy rank may wait to become idle, seconds; null for not at all
 */
public record FlushCacheReqInput(String rid, String httpWorkerIpc, Double timeoutS) implements Message {}
