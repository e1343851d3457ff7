package dpserve.bench.process;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dpserve.detokenizer.ExpectedReply;
import dpserve.io.SimulatedModel;
import dpserve.io.message.SamplingParams;
import dpserve.io.process.CommandRunner;
import dpserve.tokenizer.JtokkitVocabulary;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.HdrHistogram.Histogram;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * The client of scripts/bench-pipeline.sh: keeps many streams of /v1/completions going and measures, in a window after a
 * warm-up, what arrives and what each process spends on it. Prints one line of JSON.
 */
@Command(name = "bench-pipeline", mixinStandardHelpOptions = true, description = "Measures a running topology.")
public final class PipelineMain implements Callable<Integer> {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Ordinary words; their number is what a prompt costs here. */
    private static final int PROMPT_TOKENS = 32;

    private static final int READ_BYTES = 256 << 10;
    private static final long SELECT_MS = 100;

    /** Linux's USER_HZ, which /proc counts in, on every architecture that matters. */
    private static final double TICKS_PER_S = 100;

    private static final double NS_PER_S = 1e9;

    @Option(names = "--port", required = true, description = "HTTP port.")
    int port;

    @Option(names = "--streams", defaultValue = "1000", description = "Streams at a time (default: ${DEFAULT-VALUE}).")
    int streams;

    @Option(names = "--tokens", defaultValue = "128", description = "Tokens of each reply (default: ${DEFAULT-VALUE}).")
    int tokens;

    @Option(names = "--warmup", defaultValue = "10", description = "Seconds before the window.")
    int warmupS;

    @Option(names = "--seconds", defaultValue = "10", description = "Length of the window.")
    int windowS;

    @Option(names = "--process", paramLabel = "NAME=PID", description = "Processes whose CPU is counted.")
    Map<String, Long> processes = new LinkedHashMap<>();

    private final PipelineStream.Totals totals = new PipelineStream.Totals();
    private final Histogram ttftUs = new Histogram(3);
    private final byte[] bytes = new byte[READ_BYTES];
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(READ_BYTES);

    public static void main(String[] args) {
        CommandRunner.run(new PipelineMain(), args);
    }

    private record Moment(long ns, long events, long textBytes, long bytes, long requests, Map<String, Double> cpuS) {}

    @Override
    public Integer call() throws Exception {
        int[] prompt = new int[PROMPT_TOKENS];
        int[] words = SimulatedModel.create().tokenIds();
        for (int i = 0; i < prompt.length; i++) {
            prompt[i] = words[i * 7 % words.length];
        }
        ExpectedReply reply = ExpectedReply.of(
                SimulatedModel.create(),
                new JtokkitVocabulary(),
                prompt,
                SamplingParams.greedy(tokens).ignoringEos());
        byte[] quoted = JSON.writeValueAsBytes(reply.text());
        byte[] expected = Arrays.copyOfRange(quoted, 1, quoted.length - 1);
        processes.put("client", ProcessHandle.current().pid());
        try (Selector selector = Selector.open()) {
            List<PipelineStream> all = connect(selector, request(prompt), expected);
            for (PipelineStream stream : all) {
                stream.send(System.nanoTime());
            }
            serve(selector, System.nanoTime() + seconds(warmupS), true);
            ttftUs.reset();
            Moment begin = moment();
            serve(selector, begin.ns + seconds(windowS), true);
            Moment end = moment();
            long last = System.nanoTime() + seconds(warmupS + windowS);
            while (System.nanoTime() < last && !all.stream().allMatch(PipelineStream::isIdle)) {
                serve(selector, Math.min(last, System.nanoTime() + seconds(1)), false);
            }
            long lost = all.stream().filter(s -> !s.isIdle()).count();
            System.out.println(JSON.writeValueAsString(result(begin, end, expected.length, lost)));
            if (totals.wrong > 0 || lost > 0) {
                System.err.println("error: " + totals.wrong + " replies were wrong, " + lost
                        + " did not end; the first: " + totals.firstWrong);
                return 1;
            }
        }
        return 0;
    }

    private static long seconds(int s) {
        return (long) (s * NS_PER_S);
    }

    private byte[] request(int[] prompt) throws IOException {
        ObjectNode body = JSON.createObjectNode();
        body.put("model", "simulated")
                .put("stream", true)
                .put("max_tokens", tokens)
                .put("ignore_eos", true);
        body.put("temperature", 0);
        for (int id : prompt) {
            body.withArray("prompt").add(id);
        }
        byte[] json = JSON.writeValueAsBytes(body);
        return ("POST /v1/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: "
                        + json.length + "\r\n\r\n" + new String(json, StandardCharsets.UTF_8))
                .getBytes(StandardCharsets.UTF_8);
    }

    private List<PipelineStream> connect(Selector selector, byte[] request, byte[] expected) throws IOException {
        List<PipelineStream> all = new ArrayList<>();
        for (int i = 0; i < streams; i++) {
            SocketChannel channel = SocketChannel.open(new InetSocketAddress("127.0.0.1", port));
            channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
            channel.configureBlocking(false);
            PipelineStream stream = new PipelineStream(channel, request, expected, totals);
            channel.register(selector, SelectionKey.OP_READ, stream);
            all.add(stream);
        }
        return all;
    }

    private void serve(Selector selector, long untilNs, boolean again) throws IOException {
        while (System.nanoTime() < untilNs) {
            int ready = selector.select(SELECT_MS);
            for (SelectionKey key : selector.selectedKeys()) {
                read((PipelineStream) key.attachment(), again);
            }
            selector.selectedKeys().clear();
            if (ready == 0 && !again) {
                return;
            }
        }
    }

    private void read(PipelineStream stream, boolean again) throws IOException {
        buffer.clear();
        int length = stream.channel.read(buffer);
        if (length < 0) {
            throw new IOException("the server closed a connection");
        }
        buffer.flip().get(bytes, 0, length);
        long nowNs = System.nanoTime();
        if (stream.take(bytes, length, nowNs)) {
            ttftUs.recordValue(Math.max(0, stream.ttftNs() / 1000));
            if (again) {
                stream.send(nowNs);
            }
        }
    }

    private Moment moment() throws IOException {
        Map<String, Double> cpu = new LinkedHashMap<>();
        for (Map.Entry<String, Long> process : processes.entrySet()) {
            cpu.put(process.getKey(), cpuS(process.getValue()));
        }
        return new Moment(System.nanoTime(), totals.events, totals.textBytes, totals.bytes, totals.requests, cpu);
    }

    private static double cpuS(long pid) throws IOException {
        String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
        return (Long.parseLong(fields[11]) + Long.parseLong(fields[12])) / TICKS_PER_S;
    }

    private Map<String, Object> result(Moment begin, Moment end, int textBytesOfReply, long lost) {
        double s = (end.ns - begin.ns) / NS_PER_S;
        long events = end.events - begin.events;
        double made = (double) (end.textBytes - begin.textBytes) * tokens / textBytesOfReply;
        Map<String, Object> cpu = new LinkedHashMap<>();
        end.cpuS.forEach((name, value) -> cpu.put(name, value - begin.cpuS.get(name)));
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("streams", streams);
        result.put("tokens_of_reply", tokens);
        result.put("seconds", s);
        result.put("events_per_s", events / s);
        result.put("tokens_per_s", made / s);
        result.put("requests_per_s", (end.requests - begin.requests) / s);
        result.put("mb_per_s", (end.bytes - begin.bytes) / s / 1e6);
        result.put("events", events);
        result.put("tokens", Math.round(made));
        result.put("ttft_ms_p50", ttftUs.getValueAtPercentile(50) / 1e3);
        result.put("ttft_ms_p99", ttftUs.getValueAtPercentile(99) / 1e3);
        result.put("wrong", totals.wrong);
        result.put("lost", lost);
        result.put("cpu_s", cpu);
        return result;
    }
}
