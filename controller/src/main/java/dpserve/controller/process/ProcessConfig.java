package dpserve.controller.process;

import dpserve.controller.ControllerConfig;
import dpserve.io.LoadReport;
import java.nio.file.Path;
import java.util.List;

/**
 * What the controller's process is given.
 *
 * @param core the controller's own configuration
 * @param workerStreams PUSH endpoint of each tokenizer worker, as many as the core knows workers
 * @param legacyInputs PUSH endpoints of further request streams, whose other end need not say hello
 * @param legacyRankEndpoints where to listen for each legacy rank
 * @param endpoint where to listen for hellos and heartbeats, or null for nowhere
 * @param loadBalanceMethod name in {@link dpserve.controller.policy.Policies}
 * @param loadReport with {@link LoadReport#DIRECT} the loads in heartbeats are used
 * @param decisionLog file of the decision record, or null for none
 * @param decisionLogMaxBytes its largest size
 * @param timeScale factor on every period of the policies
 * @param budgetInterval see {@link dpserve.controller.policy.Policies#BUDGET_INTERVAL}
 */
record ProcessConfig(
        ControllerConfig core,
        List<String> workerStreams,
        List<String> legacyInputs,
        List<String> legacyRankEndpoints,
        String endpoint,
        String loadBalanceMethod,
        LoadReport loadReport,
        Path decisionLog,
        long decisionLogMaxBytes,
        double timeScale,
        int budgetInterval) {}
