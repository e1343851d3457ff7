package dpserve.io.message;

/**
 * Tokenizer worker to controller: balance in another way from now on. What is null stays; with all null it only asks. The
 * controller answers with {@link LoadBalanceState}.
 *
 * @param method name of a policy, as in {@code --load-balance-method}
 * @param report path of the loads, as in {@code --load-report}
 * @param delayMs injected delay of every report, milliseconds of modelled time
 */
public record SetLoadBalance(String rid, String httpWorkerIpc, String method, String report, Double delayMs)
        implements Message {}
