package dpserve.bench.process;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dpserve.bench.BenchConfig;
import dpserve.bench.BenchResult;
import dpserve.bench.BenchServing;
import dpserve.bench.client.ControlCalls;
import dpserve.bench.client.ServerInfo;
import dpserve.bench.fuzz.Corpus;
import dpserve.bench.fuzz.HttpShooter;
import dpserve.bench.fuzz.Mutator;
import dpserve.io.codec.CodecException;
import dpserve.io.codec.IntArrayForm;
import dpserve.io.codec.MessageCodec;
import dpserve.io.process.CommandRunner;
import dpserve.io.socket.Contexts;
import dpserve.io.socket.PushSocket;
import dpserve.io.socket.SocketLimits;
import dpserve.tokenizer.JtokkitVocabulary;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.zeromq.ZContext;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The part of scripts/fuzz.sh that sends rubbish to a running topology and looks whether it minds. */
@Command(name = "fuzz", description = "Called by scripts/fuzz.sh.")
public final class FuzzMain implements Callable<Integer> {
    private static final int HTTP_THREADS = 4;

    /** Live heap after a full collection, against the one before: counters and buffers may grow once. */
    private static final double HEAP_GROWTH_MIB = 32;

    private static final long TABLES_LIMIT_MS = 60_000;

    @Option(names = "--topology", required = true, description = "topology.json of the run")
    private Path topology;

    @Option(names = "--frames", required = true)
    private long frames;

    @Option(names = "--http", required = true)
    private long httpRequests;

    @Option(names = "--seconds", required = true, description = "longest time for either")
    private int seconds;

    @Option(names = "--seed", required = true)
    private long seed;

    private final Map<String, Long> pids = new TreeMap<>();
    private final List<String> endpoints = new ArrayList<>();
    private final List<String> broken = new ArrayList<>();
    private URI http;

    public static void main(String[] args) {
        CommandRunner.run(new FuzzMain(), args);
    }

    @Override
    public Integer call() throws InterruptedException {
        System.out.println("seed " + seed);
        try {
            open();
            checkService();
            Map<String, Double> before = HeapWatch.look(pids);
            sendFrames();
            sendHttp();
            checkService();
            heaps(before, HeapWatch.look(pids));
            must(
                    ServerInfo.awaitEmpty(new ControlCalls(http, Map.of()), TABLES_LIMIT_MS)
                            .isEmpty(),
                    "tables of /server_info are not empty");
        } catch (IOException | IllegalStateException e) {
            broken.add(e.getMessage());
        }
        pids.forEach((name, pid) ->
                must(ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false), name + " has ended"));
        broken.forEach(line -> System.out.println("BROKEN: " + line));
        return broken.isEmpty() ? 0 : CommandRunner.FAILURE;
    }

    private void open() throws IOException {
        for (JsonNode process : new ObjectMapper().readTree(topology.toFile()).path("processes")) {
            pids.put(
                    process.path("role").asText() + " " + pids.size(),
                    process.path("pid").asLong());
            process.path("endpoints").properties().forEach(endpoint -> {
                switch (endpoint.getKey()) {
                    case "pull", "input" -> endpoints.add(endpoint.getValue().asText());
                    case "http" -> http = URI.create(endpoint.getValue().asText());
                    default -> {}
                }
            });
        }
        if (http == null || endpoints.isEmpty()) {
            throw new IllegalStateException(topology + " names no endpoints");
        }
    }

    /** What a codec takes is left out: among it are messages that the topology would obey. */
    private void sendFrames() throws InterruptedException {
        Mutator mutator = new Mutator(Corpus.frames(), seed);
        MessageCodec codec = new MessageCodec(IntArrayForm.INT32);
        long deadline = System.nanoTime() + seconds * 1_000_000_000L;
        long sent = 0;
        long valid = 0;
        try (ZContext context = Contexts.create()) {
            List<PushSocket> sockets = new ArrayList<>();
            endpoints.forEach(e -> sockets.add(PushSocket.connect(context, e, SocketLimits.defaults())));
            while (sent < frames && System.nanoTime() - deadline < 0) {
                byte[] frame = mutator.next();
                if (isMessage(codec, frame)) {
                    valid++;
                    continue;
                }
                PushSocket socket = sockets.get((int) (sent % sockets.size()));
                while (!socket.send(frame)) {
                    Thread.sleep(1); // its peer is behind
                }
                sent++;
            }
            sockets.forEach(PushSocket::close);
        }
        System.out.printf(
                "%,d random and mutated frames to %d sockets; %,d valid ones left out%n",
                sent, endpoints.size(), valid);
    }

    private static boolean isMessage(MessageCodec codec, byte[] frame) {
        try {
            codec.decode(frame);
            return true;
        } catch (CodecException e) {
            return false;
        }
    }

    private void sendHttp() throws InterruptedException, IOException {
        long deadline = System.nanoTime() + seconds * 1_000_000_000L;
        List<HttpShooter> shooters = new ArrayList<>();
        List<Thread> threads = new ArrayList<>();
        List<IOException> failures = new ArrayList<>();
        for (int t = 0; t < HTTP_THREADS; t++) {
            HttpShooter shooter = new HttpShooter(http.getHost(), http.getPort());
            Mutator mutator = new Mutator(Corpus.http(), seed + 1 + t);
            shooters.add(shooter);
            Thread thread = new Thread(() -> {
                try {
                    for (long i = 0; i < httpRequests / HTTP_THREADS && System.nanoTime() - deadline < 0; i++) {
                        shooter.shoot(mutator.next());
                    }
                } catch (IOException e) {
                    synchronized (failures) {
                        failures.add(e);
                    }
                }
            });
            threads.add(thread);
            thread.start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        if (!failures.isEmpty()) {
            throw failures.get(0);
        }
        long[] sum = new long[6];
        for (HttpShooter shooter : shooters) {
            long[] replies = shooter.replies();
            for (int i = 0; i < sum.length; i++) {
                sum[i] += replies[i];
            }
        }
        System.out.printf(
                "%,d mutated HTTP requests: %,d x 2xx, %,d x 4xx, %,d x 5xx, %,d without a reply%n",
                sum[0] + sum[1] + sum[2] + sum[3] + sum[4] + sum[5], sum[2], sum[4], sum[5], sum[0] + sum[1] + sum[3]);
    }

    private void checkService() throws InterruptedException {
        BenchConfig config = BenchConfig.parse(
                "--base-url",
                http.toString(),
                "--dataset-name",
                "random",
                "--random-input-len",
                "50",
                "--random-output-len",
                "20",
                "--num-prompts",
                "40",
                "--max-concurrency",
                "8",
                "--seed",
                Long.toString(seed),
                "--verify");
        BenchResult result =
                new BenchServing(new JtokkitVocabulary(), Map.of(), line -> {}, total -> done -> {}).measure(config);
        System.out.println(result.verify().summary());
        must(result.verify().correct() == result.outcomes().size(), "the service does not go on as it should");
    }

    private void heaps(Map<String, Double> before, Map<String, Double> after) {
        System.out.println("heap after a full collection, MiB:");
        before.forEach((name, mib) -> {
            double now = after.getOrDefault(name, Double.NaN);
            System.out.printf(Locale.ROOT, "  %-14s %5.1f before, %5.1f after%n", name, mib, now);
            must(now <= mib + HEAP_GROWTH_MIB, "the heap of " + name + " grew");
        });
    }

    private void must(boolean holds, String otherwise) {
        if (!holds) {
            broken.add(otherwise);
        }
    }
}
