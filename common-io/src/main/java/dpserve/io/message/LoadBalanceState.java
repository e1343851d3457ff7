package dpserve.io.message;

/**
 * How the controller balances: its answer to {@link SetLoadBalance}, and, without rid and after each change, its word to
 * every tokenizer worker and rank.
 *
 * @param error what was wrong with the call, which then changed nothing; "" if it was done
 * @param method name of the policy in use
 * @param report path of the loads in use
 * @param delayMs injected delay of every report, milliseconds of modelled time
 */
public record LoadBalanceState(
        String rid, String httpWorkerIpc, String error, String method, String report, double delayMs)
        implements Message {}
