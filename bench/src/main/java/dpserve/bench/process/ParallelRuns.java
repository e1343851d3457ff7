package dpserve.bench.process;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Runs on several threads, with a line of progress now and then. Results do not depend on the number of threads. */
final class ParallelRuns {
    private static final long PROGRESS_NS = 5_000_000_000L;

    private ParallelRuns() {}

    /** All results, in the order of the runs. A run that fails ends them all. */
    static <T> List<T> of(List<? extends Callable<T>> runs, int threads, String what) throws InterruptedException {
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        try {
            ExecutorCompletionService<T> done = new ExecutorCompletionService<>(pool);
            List<Future<T>> futures = new ArrayList<>();
            runs.forEach(run -> futures.add(done.submit(run)));
            long start = System.nanoTime();
            long lastLine = start;
            List<T> results = new ArrayList<>();
            for (int i = 1; i <= runs.size(); i++) {
                done.take().get();
                long now = System.nanoTime();
                if (now - lastLine > PROGRESS_NS) {
                    lastLine = now;
                    double perRunS = (now - start) / 1e9 / i;
                    System.err.printf(
                            Locale.ROOT,
                            "%s: %d of %d, %.1f runs/s, %s left%n",
                            what,
                            i,
                            runs.size(),
                            1 / perRunS,
                            duration(perRunS * (runs.size() - i)));
                }
            }
            for (Future<T> future : futures) {
                results.add(future.get());
            }
            return results;
        } catch (ExecutionException e) {
            throw new IllegalStateException(what + ": " + e.getCause().getMessage(), e.getCause());
        } finally {
            pool.shutdownNow();
        }
    }

    static String duration(double seconds) {
        long s = Math.round(seconds);
        return s < 120 ? s + " s" : s < 7200 ? s / 60 + " min" : String.format(Locale.ROOT, "%.1f h", s / 3600.0);
    }
}
