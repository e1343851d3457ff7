package dpserve.bench.process;

import com.fasterxml.jackson.databind.ObjectMapper;
import dpserve.bench.BenchConfig;
import dpserve.bench.BenchResult;
import dpserve.bench.BenchServing;
import dpserve.bench.ResultJson;
import dpserve.bench.metrics.ClientHealth;
import dpserve.io.process.CommandRunner;
import dpserve.tokenizer.JtokkitVocabulary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.LocalDate;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** The command behind scripts/bench-serving.sh. */
@Command(
        name = "bench-serving",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        abbreviateSynopsis = true,
        usageHelpWidth = 120,
        description = {
            "Sends a workload to a server and measures the replies, as SGLang's bench_serving does.",
            "The script takes --install (apt installs what is missing) and --no-build too."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:at least one reply came; with --verify, none was wrong, lost or doubled",
            "1:no reply came, or --verify found one that is not as expected",
            "2:a flag is wrong"
        })
public final class BenchServingMain implements Callable<Integer> {
    @Mixin
    private BenchConfig config = new BenchConfig();

    public static void main(String[] args) {
        CommandRunner.run(new BenchServingMain(), args);
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        config.validate();
        BenchResult result;
        try (ProgressDisplay progress = ProgressDisplay.choose(config.disableTqdm)) {
            result = new BenchServing(new JtokkitVocabulary(), System.getenv(), System.out::println, progress::start)
                    .measure(config);
        } catch (IllegalStateException e) {
            System.err.println("error: " + e.getMessage());
            return CommandRunner.FAILURE;
        }
        System.out.println();
        System.out.print(result.table());
        System.out.println(client(result.client()));
        if (result.verify() != null) {
            System.out.println(result.verify().summary());
        }
        failures(result);
        Path file = Path.of(ResultJson.fileName(config, LocalDate.now()));
        String line = new ObjectMapper().writeValueAsString(ResultJson.of(result)) + "\n";
        Files.writeString(file, line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        System.out.println("Result appended to " + file);
        return result.isGood() ? 0 : CommandRunner.FAILURE;
    }

    private static String client(ClientHealth c) {
        String figures = String.format(
                Locale.ROOT,
                "Client: send lag P99 %.2f ms, event-loop lag P99 %.2f ms, busy %.0f %%, %d events",
                c.sendLagP99Ms(),
                c.loopLagP99Ms(),
                c.busyFraction() * 100,
                c.events());
        return c.limit() == null
                ? figures
                : figures + System.lineSeparator() + "WARNING: limited by the machine of this client: " + c.limit();
    }

    private static void failures(BenchResult result) {
        result.outcomes().stream().filter(o -> !o.success()).findFirst().ifPresent(first -> {
            int failed = result.outcomes().size() - result.metrics().completed();
            System.out.println("WARNING: " + failed + " requests failed; first: " + first.problem());
        });
    }
}
