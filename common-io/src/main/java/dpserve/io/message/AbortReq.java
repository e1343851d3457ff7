package dpserve.io.message;

/**
 * Towards a scheduler: end this request. Back from a scheduler: a request that never emitted anything has ended.
 *
 * <p>Java processes match the exact wire rid; SGLang's match a prefix. A rid without attempt part is a user's rid: the
 * controller expands it through its rid map.
 *
 * @param rid wire rid or user rid; "" with {@code abortAll}
 * @param httpWorkerIpc tokenizer worker that asked, or that owns the request in a reply; may be null
 * @param abortAll end everything
 * @param finishedReason in a reply, what to tell the client; null otherwise
 * @param abortMessage reason in words, or null
 */
public record AbortReq(
        String rid, String httpWorkerIpc, boolean abortAll, FinishReason finishedReason, String abortMessage)
        implements Message {

    /** An order to end one request. */
    public static AbortReq of(String rid, String httpWorkerIpc) {
        return new AbortReq(rid, httpWorkerIpc, false, null, null);
    }
}
