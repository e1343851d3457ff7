package dpserve.bench.process;

import com.fasterxml.jackson.databind.ObjectMapper;
import dpserve.bench.live.TopTable;
import dpserve.io.process.CommandRunner;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.ZoneId;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The command behind scripts/top.sh. */
@Command(
        name = "top",
        mixinStandardHelpOptions = true,
        description = {
            "Shows a running topology, once a second: on a terminal as a table that is drawn in place, otherwise as lines of",
            "name=value pairs (docs/dashboard.md). Ctrl-C ends it. A key is taken from DPSERVE_API_KEY."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:done", "1:no server, or it ended", "2:a flag is wrong"})
public final class TopMain implements Callable<Integer> {
    private static final Duration CONNECT_LIMIT = Duration.ofSeconds(5);
    private static final String DATA = "data: ";

    /** Lines that do not fit are cut by the terminal instead of folded, and no cursor jumps about. */
    private static final String BEGIN = "\u001b[?25l\u001b[?7l\u001b[2J";

    private static final String END = "\u001b[?7h\u001b[?25h";
    private static final String TOP_LEFT = "\u001b[H";
    private static final String CLEAR_LINE = "\u001b[K";
    private static final String CLEAR_BELOW = "\u001b[J";

    @Option(
            names = "--url",
            paramLabel = "URL",
            description = "The server (default: ${DEFAULT-VALUE}).",
            defaultValue = "http://127.0.0.1:30000")
    private URI url;

    @Option(
            names = "--count",
            paramLabel = "N",
            description = "Ends after so many events, which come once a second; 0 = goes on (default: 0).",
            defaultValue = "0")
    private int count;

    @Option(names = "--terminal-lines", paramLabel = "N", description = "Height of the terminal.", hidden = true)
    private int terminalLines;

    private final TopTable table = new TopTable(ZoneId.systemDefault());
    private final PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);

    public static void main(String[] args) {
        CommandRunner.run(new TopMain(), args);
    }

    @Override
    public Integer call() throws InterruptedException {
        try {
            return follow();
        } catch (IOException e) {
            String reason = e.getMessage() == null ? "no connection" : e.getMessage();
            System.err.println("error: " + url + ": " + reason);
            return CommandRunner.FAILURE;
        }
    }

    private int follow() throws IOException, InterruptedException {
        HttpClient client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(CONNECT_LIMIT)
                .build();
        HttpRequest.Builder request = HttpRequest.newBuilder(url.resolve("/dashboard/events"));
        String key = System.getenv("DPSERVE_API_KEY");
        if (key != null) {
            request.header("Authorization", "Bearer " + key);
        }
        HttpResponse<InputStream> response = client.send(request.build(), HttpResponse.BodyHandlers.ofInputStream());
        try (BufferedReader events =
                new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8))) {
            if (response.statusCode() != 200) {
                throw new IOException("status " + response.statusCode() + " " + events.readLine());
            }
            show(events);
        }
        return 0;
    }

    private void show(BufferedReader events) throws IOException {
        if (terminalLines > 0) {
            Runtime.getRuntime().addShutdownHook(new Thread(() -> print(END)));
            print(BEGIN);
        }
        ObjectMapper json = new ObjectMapper();
        int shown = 0;
        while (count == 0 || shown < count) {
            String line = events.readLine();
            if (line == null) {
                throw new IOException("the server ended the stream");
            }
            if (line.startsWith(DATA)) {
                var event = json.readTree(line.substring(DATA.length()));
                print(terminalLines > 0 ? frame(table.table(event, terminalLines)) : text(table.lines(event)));
                shown++;
            }
        }
    }

    private static String frame(List<String> lines) {
        return TOP_LEFT + String.join(CLEAR_LINE + "\n", lines) + CLEAR_LINE + "\n" + CLEAR_BELOW;
    }

    private static String text(List<String> lines) {
        return String.join("\n", lines) + "\n";
    }

    private void print(String text) {
        out.print(text);
        out.flush();
        if (out.checkError()) {
            // Whoever read this has had enough, as head does.
            Runtime.getRuntime().halt(0);
        }
    }
}
