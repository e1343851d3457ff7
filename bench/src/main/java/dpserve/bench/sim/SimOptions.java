package dpserve.bench.sim;

import static dpserve.bench.Flags.require;

import dpserve.io.LoadReport;
import dpserve.scheduler.SchedulePolicy;
import dpserve.scheduler.SchedulerConfig;
import dpserve.tokenizer.OnRankFailure;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** The flags of a simulated topology. Times are modelled time: nothing waits. */
public final class SimOptions {
    private static final String BY_DEFAULT = " (default: ${DEFAULT-VALUE}).";

    @Option(names = "--dp-size", defaultValue = "4", description = "Number of ranks" + BY_DEFAULT)
    public int dpSize;

    @Option(
            names = "--load-balance-method",
            defaultValue = "least_requests",
            description = "Dispatch policy" + BY_DEFAULT)
    public String method;

    @Option(
            names = "--load-report",
            defaultValue = "piggyback",
            description = "piggyback, watch, accounting or direct" + BY_DEFAULT)
    public LoadReport loadReport;

    @Option(
            names = "--load-watch-interval-ms",
            defaultValue = "100",
            description = "Time between two polls" + BY_DEFAULT)
    public double watchIntervalMs;

    @Option(names = "--report-delay-ms", defaultValue = "0", description = "Added to every report" + BY_DEFAULT)
    public double reportDelayMs;

    @Option(
            names = "--report-jitter-ms",
            defaultValue = "0",
            description =
                    "Up to this much more, drawn for each report, so that reports overtake each other" + BY_DEFAULT)
    public double reportJitterMs;

    @Option(names = "--report-drop", defaultValue = "0", description = "Share of reports that get lost" + BY_DEFAULT)
    public double reportDrop;

    @Option(names = "--report-every", defaultValue = "1", description = "Keep one of so many reports" + BY_DEFAULT)
    public int reportEvery;

    @Option(
            names = "--report-copies",
            defaultValue = "1",
            description = "Each report arrives so many times, as by several ways; a part is a chance" + BY_DEFAULT)
    public double reportCopies;

    @Option(
            names = "--upstream-reports",
            description = "Reports as PR #11469 sends them: five fields without a sequence number, sampled before the"
                    + " step's ended requests are retired, and none from a rank that becomes idle.")
    public boolean upstreamReports;

    @Option(
            names = "--report-service-us",
            defaultValue = "0",
            description =
                    "Time the controller's input takes for each report, one after the other, microseconds" + BY_DEFAULT)
    public double reportServiceUs;

    @Option(
            names = "--detokenizer-us",
            defaultValue = "0",
            description = "Time a detokenizer takes for each request of an output batch, one batch after the other,"
                    + " microseconds" + BY_DEFAULT)
    public double detokenizerUs;

    @Option(
            names = "--message-delay-us",
            defaultValue = "100",
            description = "Time of one hop between two processes, microseconds" + BY_DEFAULT)
    public double messageDelayUs;

    @Option(names = "--tokenizer-worker-num", defaultValue = "1", description = "Tokenizer workers" + BY_DEFAULT)
    public int tokenizerWorkers;

    @Option(names = "--detokenizer-worker-num", defaultValue = "1", description = "Detokenizers" + BY_DEFAULT)
    public int detokenizers;

    @Option(
            names = "--enable-dp-attention",
            description = "Ranks step together: a step lasts as long as the slowest rank's.")
    public boolean lockstep;

    @Option(
            names = "--max-total-tokens",
            defaultValue = "" + SchedulerConfig.DEFAULT_MAX_TOTAL_TOKENS,
            description = "KV slots of each rank" + BY_DEFAULT)
    public int maxTotalTokens;

    @Option(
            names = "--context-length",
            defaultValue = "" + SchedulerConfig.DEFAULT_CONTEXT_LENGTH,
            description = "Longest prompt and output together" + BY_DEFAULT)
    public int contextLength;

    @Option(
            names = "--max-running-requests",
            defaultValue = "" + SchedulerConfig.DEFAULT_MAX_RUNNING_REQUESTS,
            description = "Most requests in a rank's batch" + BY_DEFAULT)
    public int maxRunningRequests;

    @Option(names = "--disable-radix-cache", description = "No KV outlives its request.")
    public boolean disableRadixCache;

    @Option(names = "--kill-rank-at-s", description = "A rank dies at this time (default: none does).")
    public Double killAtS;

    @Option(names = "--kill-rank", defaultValue = "0", description = "Which one" + BY_DEFAULT)
    public int killRank;

    @Option(names = "--restart-after-s", defaultValue = "5", description = "It is back after so long" + BY_DEFAULT)
    public double restartAfterS;

    @Option(
            names = "--on-rank-failure",
            defaultValue = "resume",
            description = "resume or fail: what becomes of the requests of a rank that dies" + BY_DEFAULT)
    public OnRankFailure onRankFailure;

    @Option(
            names = "--fault",
            paramLabel = "KIND@SECONDS[:RANK][+SECONDS]",
            description =
                    "What happens when, to whom, for how long (1 s): kill, pause, drain, remove of a rank, add, or"
                            + " controller (its death and restart), as in pause@2:1+10; may be repeated.")
    public List<String> faults = List.of();

    @Option(
            names = "--chaos",
            defaultValue = "0",
            description = "So many more faults, drawn from the seed" + BY_DEFAULT)
    public int chaos;

    @Option(
            names = "--message-loss",
            defaultValue = "0",
            description = "Share of the messages between the controller and the ranks that get lost" + BY_DEFAULT)
    public double messageLoss;

    /** All that happens, in no order. */
    List<SimFault> faults(long seed) {
        List<SimFault> all = new ArrayList<>();
        faults.forEach(text -> all.add(SimFault.parse(text)));
        if (killAtS != null) {
            all.add(new SimFault(SimFault.Kind.KILL, killAtS, killRank, restartAfterS));
        }
        all.addAll(SimFault.draw(seed, chaos, dpSize));
        return all;
    }

    /** The scheduler of one rank. */
    SchedulerConfig schedulerConfig(int dpRank) {
        return new SchedulerConfig(
                dpRank,
                detokenizers,
                maxTotalTokens,
                contextLength,
                maxRunningRequests,
                SchedulerConfig.UNLIMITED,
                SchedulerConfig.DEFAULT_MAX_PREFILL_TOKENS,
                SchedulerConfig.DEFAULT_CHUNKED_PREFILL_SIZE,
                SchedulePolicy.FCFS,
                1.0,
                disableRadixCache,
                1,
                SchedulerConfig.DEFAULT_FORCE_STREAM_INTERVAL,
                SchedulerConfig.DEFAULT_CLIP_MAX_NEW_TOKENS,
                SchedulerConfig.DEFAULT_DECODE_LOG_INTERVAL);
    }

    /** Options from flags; those not named have their defaults. */
    public static SimOptions parse(String... flags) {
        SimOptions options = new SimOptions();
        new CommandLine(options).setCaseInsensitiveEnumValuesAllowed(true).parseArgs(flags);
        return options;
    }

    /**
     * @throws IllegalArgumentException naming the flag that is wrong
     */
    public void validate() {
        require(dpSize >= 1 && dpSize <= 4096, "--dp-size must be 1 to 4096, not " + dpSize);
        require(tokenizerWorkers >= 1, "--tokenizer-worker-num must be at least 1");
        require(detokenizers >= 1, "--detokenizer-worker-num must be at least 1");
        require(reportDrop >= 0 && reportDrop <= 1, "--report-drop must be 0 to 1, not " + reportDrop);
        require(reportEvery >= 1, "--report-every must be at least 1, not " + reportEvery);
        require(
                reportDelayMs >= 0 && reportJitterMs >= 0,
                "--report-delay-ms and --report-jitter-ms cannot be negative");
        require(messageDelayUs >= 0, "--message-delay-us cannot be negative");
        require(reportCopies >= 1, "--report-copies must be at least 1, not " + reportCopies);
        require(
                reportServiceUs >= 0 && detokenizerUs >= 0,
                "--report-service-us and --detokenizer-us cannot be negative");
        require(watchIntervalMs > 0, "--load-watch-interval-ms must be above 0");
        require(killRank >= 0 && killRank < dpSize, "--kill-rank must be 0 to " + (dpSize - 1));
        for (String fault : faults) {
            require(SimFault.parse(fault).rank() < dpSize, "--fault " + fault + ": its rank must be below --dp-size");
        }
        require(chaos >= 0, "--chaos cannot be negative");
        require(messageLoss >= 0 && messageLoss < 1, "--message-loss must be 0 to below 1, not " + messageLoss);
        require(restartAfterS >= 0, "--restart-after-s cannot be negative");
    }
}
