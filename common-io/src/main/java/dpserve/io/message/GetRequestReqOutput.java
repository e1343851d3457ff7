package dpserve.io.message;

import java.util.Map;

/**
 * Answer to {@link GetRequestReq}.
 *
 * @param from who answers, such as {@code controller} or {@code tokenizer 1}
 * @param found lists by name, as docs/protocol.md section 4.3 has them, empty for a rid that is not known, and whether they
 *     leave out older ones
 */
public record GetRequestReqOutput(String rid, String httpWorkerIpc, String from, Map<String, Object> found)
        implements Message {}
