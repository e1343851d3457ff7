package dpserve.bench.load;

import static dpserve.bench.Flags.require;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;

/** The flags that say when requests are sent. Names and defaults are upstream's. */
public final class LoadOptions {

    private static final String BY_DEFAULT = " (default: ${DEFAULT-VALUE}).";

    @Option(
            names = "--request-rate",
            defaultValue = "inf",
            converter = Rate.class,
            description = "Requests per second, a Poisson process; inf sends all at once" + BY_DEFAULT)
    public double requestRate;

    /** A request that has to wait for another's end counts from that end. */
    @Option(names = "--max-concurrency", description = "Most requests in flight (default: no limit).")
    public Integer maxConcurrency;

    @Option(names = "--use-trace-timestamps", description = "Send at the times of the trace (mooncake, azure).")
    public boolean useTraceTimestamps;

    @Option(names = "--trace-speed", defaultValue = "1.0", description = "Replay a trace this much faster" + BY_DEFAULT)
    public double traceSpeed;

    @Option(names = "--mooncake-slowdown-factor", description = "Upstream's name for 1 / --trace-speed.")
    public Double slowdownFactor;

    /** How often a trace's time passes as fast as the clock's. */
    public double effectiveTraceSpeed() {
        return slowdownFactor == null ? traceSpeed : 1 / slowdownFactor;
    }

    /**
     * @param hasTimestamps whether the dataset has arrival times
     * @throws IllegalArgumentException naming the flag that is wrong
     */
    public void validate(boolean hasTimestamps) {
        require(requestRate > 0, "--request-rate must be above 0 requests per second or inf, not " + requestRate);
        require(
                maxConcurrency == null || maxConcurrency >= 1,
                "--max-concurrency must be at least 1, not " + maxConcurrency);
        require(
                !useTraceTimestamps || hasTimestamps,
                "--use-trace-timestamps needs a dataset with times: mooncake or azure");
        require(
                slowdownFactor == null || traceSpeed == 1,
                "give --trace-speed or --mooncake-slowdown-factor, not both");
        double speed = effectiveTraceSpeed();
        require(speed > 0 && Double.isFinite(speed), "--trace-speed must be above 0, not " + speed);
    }

    /** Reads a number, and "inf" as Python writes it. */
    static final class Rate implements ITypeConverter<Double> {
        @Override
        public Double convert(String text) {
            return text.equals("inf") ? Double.POSITIVE_INFINITY : Double.valueOf(text);
        }
    }
}
