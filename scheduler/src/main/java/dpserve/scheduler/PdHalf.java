package dpserve.scheduler;

/**
 * What makes a rank one of a prefill or decode server.
 *
 * @param engine runs its steps, and gives or takes KV
 * @param kv called only from within the methods of the rank's {@link Scheduler}
 */
public record PdHalf(Disaggregation disaggregation, Engine engine, KvOutput kv) {}
