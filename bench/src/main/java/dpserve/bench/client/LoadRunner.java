package dpserve.bench.client;

import dpserve.bench.client.RequestBodies.Message;
import dpserve.bench.dataset.DatasetRow;
import dpserve.bench.dataset.Prompt;
import dpserve.bench.load.LoadSchedule;
import dpserve.bench.metrics.RequestOutcome;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import org.HdrHistogram.Histogram;

/**
 * Runs one load: sends each row when its schedule says so, reads the replies, and measures on the way how late its own
 * network thread is. Good for one run.
 */
public final class LoadRunner {
    /** Bodies made before the run, so that sending them costs nothing but the write; beyond it they are made when sent. */
    private static final long PREPARED_BYTES = 128L << 20;

    /** How often the network thread's lateness is sampled: often enough to see a 10 ms stall, seldom enough to cost nothing. */
    private static final long PROBE_NS = 10_000_000;

    private static final long TIMEOUT_CHECK_NS = 1_000_000_000;

    private final HttpLoadClient client;
    private final RequestBodies bodies;
    private final boolean openAi;
    private final boolean chat;
    private final long timeoutNs;
    private final IntConsumer progress;
    private final CompletableFuture<Run> done = new CompletableFuture<>();
    private final Histogram loopLagNs = new Histogram(3);
    private final Set<Call> open = new HashSet<>();

    private List<DatasetRow> rows;
    private byte[][] prepared;
    private List<List<RequestOutcome>> outcomes;
    private LoadSchedule schedule;
    private long startNs;
    private long startCpuNs;
    private long timerNs = Long.MAX_VALUE;
    private long events;
    private int finished;

    /**
     * What a run gave.
     *
     * @param outcomes in the order of the rows, a conversation's rounds one after the other
     * @param durationS from the start to the last reply's end
     * @param loopLagP99Ms delay of a timer in the network thread
     * @param busyFraction CPU time of that thread / duration
     * @param events stream events read
     */
    public record Run(
            List<RequestOutcome> outcomes,
            double durationS,
            double loopLagP99Ms,
            double loopLagMaxMs,
            double busyFraction,
            long events) {}

    /**
     * @param timeoutS after which a request counts as lost
     * @param progress told after each request how many are done, on the network thread: it must be quick
     */
    public LoadRunner(
            HttpLoadClient client, Backend backend, RequestBodies bodies, long timeoutS, IntConsumer progress) {
        this.client = client;
        this.bodies = bodies;
        this.openAi = !backend.isNative();
        this.chat = backend == Backend.CHAT;
        this.timeoutNs = TimeUnit.SECONDS.toNanos(timeoutS);
        this.progress = progress;
    }

    /** Sends all rows and waits for the end of the last. */
    public Run run(List<DatasetRow> rows, LoadSchedule schedule) throws InterruptedException {
        this.rows = rows;
        this.schedule = schedule;
        outcomes = new ArrayList<>(rows.size());
        rows.forEach(r -> outcomes.add(new ArrayList<>(r.rounds())));
        prepare();
        client.loop().execute(this::start);
        try {
            return done.get();
        } catch (java.util.concurrent.ExecutionException e) {
            throw new IllegalStateException(e.getCause());
        }
    }

    private void prepare() {
        prepared = new byte[rows.size()][];
        long bytes = 0;
        for (int i = 0; i < prepared.length && bytes < PREPARED_BYTES; i++) {
            if (!(rows.get(i).prompt() instanceof Prompt.Conversation)) {
                prepared[i] = bodies.body(rows.get(i));
                bytes += prepared[i].length;
            }
        }
    }

    private void start() {
        startNs = client.nowNs();
        startCpuNs = cpuNs();
        probe(startNs + PROBE_NS);
        checkTimeouts();
        guard(this::pump);
    }

    /** Whatever goes wrong in the network thread ends the run instead of leaving it waiting. */
    private void guard(Runnable step) {
        try {
            step.run();
        } catch (RuntimeException | Error e) {
            done.completeExceptionally(e);
        }
    }

    /** Sends what is due and sets a timer for what comes next. */
    private void pump() {
        long now = client.nowNs() - startNs;
        for (int row = schedule.next(now); row != LoadSchedule.NONE; row = schedule.next(now)) {
            begin(row, schedule.intendedNs() + startNs);
        }
        if (schedule.isDone()) {
            finish();
            return;
        }
        long next = schedule.nextArrivalNs();
        if (next > now && next < timerNs) {
            timerNs = next;
            client.loop().schedule(() -> guard(this::onTimer), next - now, TimeUnit.NANOSECONDS);
        }
    }

    private void onTimer() {
        timerNs = Long.MAX_VALUE;
        pump();
    }

    private void begin(int row, long intendedNs) {
        DatasetRow r = rows.get(row);
        if (chat && r.prompt() instanceof Prompt.Conversation) {
            round(row, 0, List.of(), intendedNs);
        } else {
            byte[] body = prepared[row] != null ? prepared[row] : bodies.body(r);
            prepared[row] = null;
            send(row, body, intendedNs, reply -> end(reply));
        }
    }

    /** One round of a conversation; the next follows its reply at once, in the same slot. */
    private void round(int row, int round, List<Message> history, long intendedNs) {
        DatasetRow r = rows.get(row);
        List<Message> messages = bodies.messages(r, round, history);
        send(row, bodies.chat(r, messages), intendedNs, reply -> {
            if (round + 1 == r.rounds()) {
                end(reply);
                return;
            }
            messages.add(new Message("assistant", reply.reader.text()));
            round(row, round + 1, messages, reply.lastEventNs);
        });
    }

    private void send(int row, byte[] body, long intendedNs, Consumer<Call> then) {
        DatasetRow r = rows.get(row);
        ReplyReader reader = openAi ? new OpenAiReply() : new GenerateReply();
        Call call = new Call(
                body,
                r.routingKey(),
                reader,
                (c, lost) -> guard(() -> {
                    open.remove(c);
                    events += c.events;
                    outcomes.get(row)
                            .add(reader.outcome(
                                    row,
                                    r.promptLen(),
                                    r.outputLen(),
                                    startNs,
                                    intendedNs,
                                    c.sentNs,
                                    c.lastEventNs,
                                    lost));
                    then.accept(c);
                }));
        open.add(call);
        client.send(call);
    }

    private void end(Call call) {
        progress.accept(++finished);
        schedule.finished(call.lastEventNs - startNs);
        pump();
    }

    private void probe(long plannedNs) {
        client.loop()
                .schedule(
                        () -> {
                            long now = client.nowNs();
                            loopLagNs.recordValue(Math.max(0, now - plannedNs));
                            if (!done.isDone()) {
                                probe(now + PROBE_NS);
                            }
                        },
                        plannedNs - client.nowNs(),
                        TimeUnit.NANOSECONDS);
    }

    private void checkTimeouts() {
        guard(this::endOverdue);
        if (!done.isDone()) {
            client.loop().schedule(this::checkTimeouts, TIMEOUT_CHECK_NS, TimeUnit.NANOSECONDS);
        }
    }

    private void endOverdue() {
        long now = client.nowNs();
        for (Call call : List.copyOf(open)) {
            if (now - call.sentNs > timeoutNs) {
                call.end(now, "no end within " + TimeUnit.NANOSECONDS.toSeconds(timeoutNs) + " s");
                call.drop.run();
            }
        }
    }

    private void finish() {
        double durationS = (client.nowNs() - startNs) / 1e9;
        done.complete(new Run(
                outcomes.stream().flatMap(List::stream).toList(),
                durationS,
                loopLagNs.getValueAtPercentile(99) / 1e6,
                loopLagNs.getMaxValue() / 1e6,
                (cpuNs() - startCpuNs) / 1e9 / durationS,
                events));
    }

    private static long cpuNs() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    }
}
