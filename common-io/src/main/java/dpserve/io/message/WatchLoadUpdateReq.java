package dpserve.io.message;

import java.util.List;

/**
 * Loads for the controller, tokenizer manager to controller in the request stream (PR #11469).
 *
 * @param loads newest last; may be empty, never holds null
 */
public record WatchLoadUpdateReq(String rid, String httpWorkerIpc, List<GetLoadReqOutput> loads) implements Message {}
