package dpserve.bench.process;

import dpserve.bench.compare.Comparison;
import dpserve.io.process.CommandRunner;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The report of scripts/compare.sh, from the folders of its runs. */
@Command(
        name = "compare-report",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Writes report.html and report.csv of runs that scripts/compare.sh measured.")
public final class CompareMain implements Callable<Integer> {
    @Parameters(arity = "1..*", paramLabel = "FOLDER", description = "One folder for each run, the first is the base.")
    private List<Path> folders;

    @Option(names = "--output-dir", required = true, description = "Where the report goes.")
    private Path outputDir;

    @Option(names = "--command", required = true, description = "The command that repeats all runs.")
    private String command;

    public static void main(String[] args) {
        CommandRunner.run(new CompareMain(), args);
    }

    @Override
    public Integer call() throws IOException {
        System.out.print(Comparison.write(folders, outputDir, command));
        return 0;
    }
}
