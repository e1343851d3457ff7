package dpserve.bench.process;

import dpserve.controller.decision.DecisionReplay;
import dpserve.io.process.CommandRunner;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.msgpack.core.MessagePack;
import org.msgpack.core.MessageUnpacker;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The command behind scripts/dev/replay-decisions.sh. */
@Command(
        name = "replay-decisions",
        mixinStandardHelpOptions = true,
        description = {
            "Decides again what a decision record (controller --decision-log) holds, and counts the differences.",
            "Another policy is asked about the loads that the recorded one brought about."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:done", "1:the recorded policy chose otherwise this time", "2:a flag or the file is wrong"})
public final class ReplayDecisionsMain implements Callable<Integer> {
    @Parameters(paramLabel = "FILE", description = "The decision record.")
    private Path file;

    @Option(
            names = {"--policy", "--load-balance-method"},
            paramLabel = "METHOD",
            description = "Policy to decide with (default: the recorded one).")
    private String method;

    public static void main(String[] args) {
        CommandRunner.run(new ReplayDecisionsMain(), args);
    }

    @Override
    public Integer call() {
        DecisionReplay.Result result;
        try (MessageUnpacker in = MessagePack.newDefaultUnpacker(new BufferedInputStream(Files.newInputStream(file)))) {
            result = new DecisionReplay(method).run(in);
        } catch (IOException e) {
            throw new IllegalArgumentException("cannot read " + file + ": " + e.getMessage());
        }
        System.out.printf(
                Locale.ROOT,
                "%d decisions, %d different (%.1f %%), %d entries missing%n",
                result.decisions(),
                result.different(),
                100.0 * result.different() / Math.max(1, result.decisions()),
                result.missing());
        System.out.println("requests per rank, recorded: " + Arrays.toString(result.chosen()));
        System.out.println("requests per rank, now:      " + Arrays.toString(result.again()));
        result.examples().forEach(System.out::println);
        return method == null && result.different() > 0 && result.missing() == 0 ? CommandRunner.FAILURE : 0;
    }
}
