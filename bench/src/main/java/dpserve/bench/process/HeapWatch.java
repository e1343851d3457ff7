package dpserve.bench.process;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** How much of each process's heap is live: looks at regular times, each after a full collection, with the JDK's jcmd. */
final class HeapWatch {
    /** One for each generation of the serial collector; KiB. */
    private static final Pattern USED = Pattern.compile("generation\\s+total \\d+K, used (\\d+)K");

    private static final double KIB_PER_MIB = 1024;

    private final Map<String, Long> pids;
    private final long periodMs;
    private final Map<String, List<Double>> mib = new TreeMap<>();
    private final Thread thread = new Thread(this::run, "heap-watch");
    private volatile IOException failure;

    /** @param pids by name of the process; looked at until {@link #stop}, all by one thread */
    HeapWatch(Map<String, Long> pids, long periodMs) {
        this.pids = pids;
        this.periodMs = periodMs;
        pids.keySet().forEach(name -> mib.put(name, new ArrayList<>()));
        thread.setDaemon(true);
        thread.start();
    }

    private void run() {
        try {
            while (true) {
                Thread.sleep(periodMs);
                look(pids).forEach((name, used) -> mib.get(name).add(used));
            }
        } catch (IOException e) {
            failure = e;
        } catch (InterruptedException e) {
            // stopped
        }
    }

    /** One look at each, MiB. */
    static Map<String, Double> look(Map<String, Long> pids) throws IOException, InterruptedException {
        Map<String, Double> mib = new TreeMap<>();
        for (Map.Entry<String, Long> process : pids.entrySet()) {
            jcmd(process.getValue(), "GC.run");
            mib.put(process.getKey(), used(jcmd(process.getValue(), "GC.heap_info")));
        }
        return mib;
    }

    private static String jcmd(long pid, String command) throws IOException, InterruptedException {
        String tool = Path.of(System.getProperty("java.home"), "bin", "jcmd").toString();
        Process process = new ProcessBuilder(tool, Long.toString(pid), command)
                .redirectErrorStream(true)
                .start();
        try {
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (process.waitFor() != 0) {
                throw new IOException("jcmd " + pid + " " + command + ": " + output.strip());
            }
            return output;
        } finally {
            process.destroy();
        }
    }

    private static double used(String info) throws IOException {
        Matcher used = USED.matcher(info);
        long kib = 0;
        int generations = 0;
        while (used.find()) {
            kib += Long.parseLong(used.group(1));
            generations++;
        }
        if (generations == 0) {
            throw new IOException("jcmd told nothing of a heap of the serial collector: " + info.strip());
        }
        return kib / KIB_PER_MIB;
    }

    /** No further looks. */
    void stop() throws InterruptedException {
        thread.interrupt();
        thread.join();
    }

    /**
     * What was seen, by name, in order of time; to be asked once stopped.
     *
     * @throws IOException if a look failed
     */
    Map<String, double[]> mib() throws IOException {
        if (failure != null) {
            throw failure;
        }
        Map<String, double[]> all = new TreeMap<>();
        mib.forEach((name, looks) ->
                all.put(name, looks.stream().mapToDouble(Double::doubleValue).toArray()));
        return all;
    }
}
