package dpserve.io.message;

import java.util.Map;

/**
 * One process's state.
 *
 * @param internalState values are null, Boolean, Long, Double, String, List or Map of the same, at most 16 deep. From a
 *     Java process it has the keys of docs/protocol.md: role, index, pid, incarnation, tables, counters and, from a
 *     tokenizer worker, metrics
 */
public record GetInternalStateReqOutput(String rid, String httpWorkerIpc, Map<String, Object> internalState)
        implements Message {}
