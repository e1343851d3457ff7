package dpserve.io.message;

/**
 * Tokenizer worker to controller, and through it to the other workers: what is known of the requests with this rid. Each
 * answers with {@link GetRequestReqOutput}.
 *
 * @param userRid the client's name for the request, or {@link #NEWEST}
 */
public record GetRequestReq(String rid, String httpWorkerIpc, String userRid) implements Message {

    /** Asks for the controller's newest decisions, whatever their requests; no user's rid is empty. */
    public static final String NEWEST = "";
}
