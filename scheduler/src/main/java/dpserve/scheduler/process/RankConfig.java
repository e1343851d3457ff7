package dpserve.scheduler.process;

import dpserve.io.Endpoints;
import dpserve.io.LoadReport;
import dpserve.io.codec.IntArrayForm;
import dpserve.io.message.GetLoadReqOutput;
import dpserve.io.message.Hello;
import dpserve.io.message.Role;
import dpserve.scheduler.SchedulerConfig;
import java.nio.file.Path;
import java.util.Map;

/**
 * What a scheduler process is given.
 *
 * @param scheduler limits and policies of the core
 * @param endpoints where its peers listen
 * @param inputEndpoint where its first incarnation listens; port {@code *} for a free one
 * @param tokenIdForm how token ids are written towards the detokenizers
 * @param timeScale wall time for one unit of the engine's modelled time; 0 for no waiting
 * @param heartbeatIntervalMs milliseconds between two heartbeats
 * @param dpAttention whether the ranks step together
 * @param stepLog folder for {@link StepLog}, or null for none
 * @param sglangController whether the controller is SGLang's: it listens where this rank takes requests, and knows
 *     neither registration nor heartbeats
 * @param loadReport with {@link LoadReport#DIRECT} a heartbeat also follows each change of the load
 * @param handoff how KV is handed over on a prefill or decode server; null on one that does both
 */
record RankConfig(
        SchedulerConfig scheduler,
        Endpoints endpoints,
        String inputEndpoint,
        IntArrayForm tokenIdForm,
        double timeScale,
        long heartbeatIntervalMs,
        boolean dpAttention,
        Path stepLog,
        boolean sglangController,
        LoadReport loadReport,
        HandoffArgs.Handoff handoff) {

    /**
     * How an incarnation registers.
     *
     * @param load of now: what a new controller has to know of what came before it
     * @param held wire rids of all requests it holds
     */
    Hello hello(
            long incarnation, Map<String, String> endpoints, boolean draining, GetLoadReqOutput load, String[] held) {
        Map<String, Long> info = Map.of(
                Hello.MAX_TOTAL_NUM_TOKENS,
                (long) scheduler.maxTotalTokens(),
                Hello.MAX_REQ_INPUT_LEN,
                (long) scheduler.maxReqInputLen(),
                Hello.DRAINING,
                draining ? 1L : 0L,
                Hello.RECEIVED_REQS,
                load.receivedReqs(),
                Hello.RECEIVED_TOKENS,
                load.receivedTokens(),
                "context_length",
                (long) scheduler.contextLength());
        long pid = ProcessHandle.current().pid();
        return new Hello(
                Role.SCHEDULER, scheduler.dpRank(), incarnation, endpoints, Hello.PROTOCOL_VERSION, pid, info, held);
    }

    /** Where a further incarnation listens: a fresh port, as docs/protocol.md section 1 has it. */
    String freeInputEndpoint() {
        return inputEndpoint.substring(0, inputEndpoint.lastIndexOf(':')) + ":*";
    }
}
