package dpserve.io.message;

/**
 * One rank's answer to {@link FlushCacheReqInput}.
 *
 * @param rid the request's rid, so that answers find their call; null from SGLang
 * @param dpRank extension: who answers; null from SGLang
 */
public record FlushCacheReqOutput(String rid, String httpWorkerIpc, boolean success, String message, Integer dpRank)
        implements Message {}
