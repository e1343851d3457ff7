package dpserve.bench.process;

import dpserve.bench.profile.DecodeConstant;
import dpserve.bench.profile.DecodeLog;
import dpserve.bench.profile.ProfileFit;
import dpserve.bench.profile.ProfileReport;
import dpserve.io.process.CommandRunner;
import dpserve.scheduler.EngineProfile;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The command behind scripts/dev/fit-profile.sh. */
@Command(
        name = "fit-profile",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        usageHelpWidth = 120,
        description = {
            "Fits the constants of a decode step from the decode log lines of SGLang's schedulers (or of ours at"
                    + " --time-scale 1) and prints a profile for --engine-profile; residuals and the range covered are"
                    + " comments in it.",
            "The script takes --install (apt installs what is missing) and --no-build too."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:a profile was printed",
            "1:the logs cannot tell every constant; which and why is on stderr",
            "2:a flag is wrong or a file cannot be read"
        })
public final class FitProfileMain implements Callable<Integer> {
    private static final List<String> PREFILL_KEYS = List.of("prefill_base_ms", "prefill_per_token_ms");

    @Parameters(arity = "1..*", paramLabel = "LOG", description = "Log files; ranks and loads may be mixed.")
    private List<Path> logs;

    @Option(
            names = "--fix",
            paramLabel = "KEY=MS",
            description = "A constant that is known, by its key in the profile; may be repeated.")
    private Map<String, Double> fixed = new TreeMap<>();

    @Option(
            names = "--decode-log-interval",
            defaultValue = "" + DecodeLog.DEFAULT_INTERVAL,
            paramLabel = "STEPS",
            description = "Decode steps between two lines of a rank, as the logged server had it"
                    + " (default: ${DEFAULT-VALUE}).")
    private int interval;

    public static void main(String[] args) {
        CommandRunner.run(new FitProfileMain(), args);
    }

    @Override
    public Integer call() throws IOException {
        if (interval < 1) {
            throw new IllegalArgumentException("--decode-log-interval must be at least 1, not " + interval);
        }
        Map<DecodeConstant, Double> given = given();
        DecodeLog log = new DecodeLog(interval);
        for (Path file : logs) {
            read(file, log);
        }
        try {
            ProfileFit fit = ProfileFit.of(log.observations(), given);
            ProfileReport report = new ProfileReport(fit, log.decodeLines());
            if (fit.undetermined().isEmpty()) {
                System.out.print(report.profile(fixed, EngineProfile.defaultProfile()));
                return 0;
            }
            System.err.println("error: " + report.refusal());
        } catch (IllegalStateException e) {
            System.err.println("error: " + e.getMessage() + " (" + log.decodeLines() + " decode lines found)");
        }
        return CommandRunner.FAILURE;
    }

    private Map<DecodeConstant, Double> given() {
        Map<DecodeConstant, Double> given = new EnumMap<>(DecodeConstant.class);
        fixed.forEach((key, value) -> {
            if (!(value >= 0 && value < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException("--fix " + key + " must be a number of at least 0");
            }
            DecodeConstant constant = null;
            for (DecodeConstant c : DecodeConstant.values()) {
                constant = c.key().equals(key) ? c : constant;
            }
            if (constant != null) {
                given.put(constant, value);
            } else if (!PREFILL_KEYS.contains(key)) {
                throw new IllegalArgumentException("--fix: a profile has no key " + key);
            }
        });
        return given;
    }

    private static void read(Path file, DecodeLog log) throws IOException {
        if (!Files.isReadable(file) || Files.isDirectory(file)) {
            throw new IllegalArgumentException("cannot read " + file);
        }
        // Logs hold prompts in any encoding: what is no UTF-8 must not end the reading.
        try (BufferedReader in =
                new BufferedReader(new InputStreamReader(Files.newInputStream(file), StandardCharsets.ISO_8859_1))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                log.add(file.toString(), line);
            }
        }
    }
}
