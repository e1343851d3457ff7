package dpserve.bench.process;

import com.fasterxml.jackson.databind.JsonNode;
import dpserve.bench.chaos.ChaosRequest;
import dpserve.bench.chaos.ChaosRequest.Kind;
import dpserve.bench.chaos.ReplyJudge;
import dpserve.bench.chaos.ReplyJudge.Verdict;
import dpserve.detokenizer.ExpectedReply;
import dpserve.io.SimulatedModel;
import dpserve.tokenizer.JtokkitVocabulary;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** Clients that send one request after the other while the gate is open, each of another kind, and judge the replies. */
final class ChaosClients implements AutoCloseable {
    /** Far above the longest stop: what has not ended by then has no outcome. */
    private static final int REPLY_LIMIT_MS = 60_000;

    private static final long RECONNECT_LIMIT_NS = 90_000_000_000L;
    private static final int RECONNECT_MS = 20;
    private static final int OK = 200;

    private final SimulatedModel model = SimulatedModel.create();
    private final JtokkitVocabulary vocabulary = new JtokkitVocabulary();
    private final URI base;
    private final String name;
    private final long seed;
    private final boolean incremental;
    private final List<Thread> threads = new ArrayList<>();
    private final Map<Integer, String> inFlight = new TreeMap<>();
    private final Map<Verdict, Integer> verdicts = new TreeMap<>();
    private final List<String> wrong = new ArrayList<>();
    private final List<Broken> broken = new ArrayList<>();
    private final List<String> ended = new ArrayList<>();
    private long longestGapNs;
    private int left;
    private int next;
    private boolean open;
    private boolean closed;

    /** A connection that was lost: whose, and how. */
    record Broken(String rid, ChaosHttp connection, String how) {}

    /**
     * What came of the requests since the last time this was asked.
     *
     * @param left requests whose client hung up
     * @param wrong replies in words
     * @param broken connections, which only a dead tokenizer worker may explain
     * @param ended rids of requests whose reply was whole
     */
    record Tally(
            Map<Verdict, Integer> verdicts,
            int left,
            List<String> wrong,
            List<Broken> broken,
            List<String> ended,
            long longestGapMs) {
        int requests() {
            return left
                    + broken.size()
                    + verdicts.values().stream().mapToInt(v -> v).sum();
        }
    }

    ChaosClients(URI base, String name, long seed, int clients, boolean incremental) {
        this.base = base;
        this.name = name;
        this.seed = seed;
        this.incremental = incremental;
        for (int i = 0; i < clients; i++) {
            Thread thread = new Thread(this::work, "chaos-client-" + i);
            thread.setDaemon(true);
            threads.add(thread);
            thread.start();
        }
    }

    /** Lets them begin requests. */
    synchronized void open() {
        open = true;
        notifyAll();
    }

    /** Waits until most of them are in the middle of a request; false if they do not get there. */
    synchronized boolean awaitBusy(long limitMs) throws InterruptedException {
        return await(limitMs, () -> inFlight.size() * 2 >= threads.size());
    }

    /** Lets them begin no more; returns the rids of requests without an outcome at the limit. */
    synchronized List<String> quiesce(long limitMs) throws InterruptedException {
        open = false;
        await(limitMs, inFlight::isEmpty);
        return List.copyOf(inFlight.values());
    }

    private boolean await(long limitMs, BooleanSupplier condition) throws InterruptedException {
        long deadline = System.nanoTime() + limitMs * 1_000_000;
        while (!condition.getAsBoolean() && System.nanoTime() - deadline < 0) {
            TimeUnit.NANOSECONDS.timedWait(this, deadline - System.nanoTime());
        }
        return condition.getAsBoolean();
    }

    synchronized Tally tally() {
        Tally tally = new Tally(
                new TreeMap<>(verdicts),
                left,
                List.copyOf(wrong),
                List.copyOf(broken),
                List.copyOf(ended),
                longestGapNs / 1_000_000);
        verdicts.clear();
        left = 0;
        wrong.clear();
        broken.clear();
        ended.clear();
        longestGapNs = 0;
        return tally;
    }

    /** A short request by itself; null if its reply was as expected, otherwise what was wrong. */
    String probe(int number) {
        ChaosRequest request =
                new ChaosRequest("probe-" + name + "-" + number, Kind.PLAIN, new int[] {number}, 3, true);
        try {
            ReplyJudge judge = judge(request);
            judge.event(ChaosHttp.call(base, "POST", "/generate", request.body(), REPLY_LIMIT_MS)
                    .json());
            return judge.verdict() == Verdict.WHOLE ? null : "probe: " + judge.problem();
        } catch (IOException e) {
            return "probe: " + e;
        }
    }

    private void work() {
        try {
            while (true) {
                int number;
                ChaosRequest request;
                synchronized (this) {
                    while (!open && !closed) {
                        wait();
                    }
                    if (closed) {
                        return;
                    }
                    number = next++;
                    request = ChaosRequest.draw(seed, name, number);
                    inFlight.put(number, request.rid());
                }
                run(request);
                synchronized (this) {
                    inFlight.remove(number);
                    notifyAll();
                }
            }
        } catch (InterruptedException e) {
            // Closed.
        }
    }

    private void run(ChaosRequest request) throws InterruptedException {
        ReplyJudge judge = judge(request);
        try (ChaosHttp http = connect()) {
            try {
                http.send("POST", "/generate", request.body());
                if (request.kind() == Kind.ABORT_PLAIN) {
                    abort(request);
                }
                if (http.readHead() != OK) {
                    judge.refusal(http.status(), http.readBody());
                    count(request, judge);
                    return;
                }
                if (request.kind() == Kind.HANG_UP) {
                    hangUp(http, judge);
                    return;
                }
                read(http, request, judge);
                count(request, judge);
            } catch (IOException e) {
                synchronized (this) {
                    broken.add(new Broken(request.rid(), http, e.toString()));
                }
            }
        } catch (IOException e) {
            wrong(request.rid() + ": no connection: " + e);
        }
    }

    /** While its only tokenizer worker has no successor yet, a client is refused and comes again. */
    private ChaosHttp connect() throws IOException, InterruptedException {
        long deadline = System.nanoTime() + RECONNECT_LIMIT_NS;
        while (true) {
            try {
                return new ChaosHttp(base, REPLY_LIMIT_MS, 0);
            } catch (ConnectException e) {
                if (System.nanoTime() - deadline > 0) {
                    throw e;
                }
                Thread.sleep(RECONNECT_MS);
            }
        }
    }

    private void read(ChaosHttp http, ChaosRequest request, ReplyJudge judge) throws IOException, InterruptedException {
        if (!request.kind().isStream()) {
            judge.event(ChaosHttp.JSON.readTree(http.readBody()));
            return;
        }
        long lastNs = 0;
        int events = 0;
        for (JsonNode event = http.event(); event != null; event = http.event()) {
            long nowNs = System.nanoTime();
            judge.event(event);
            if (lastNs != 0) {
                gap(nowNs - lastNs);
            }
            lastNs = nowNs;
            if (++events == 2 && request.kind() == Kind.ABORT_STREAM) {
                abort(request);
            }
        }
    }

    private void hangUp(ChaosHttp http, ReplyJudge judge) throws IOException {
        judge.event(http.event());
        synchronized (this) {
            left++;
        }
    }

    /** Over another connection, perhaps to another worker, and perhaps to one that dies: then it does not come about. */
    private void abort(ChaosRequest request) throws InterruptedException {
        try (ChaosHttp http = connect()) {
            try {
                http.send(
                        "POST",
                        "/abort_request",
                        ChaosHttp.JSON.createObjectNode().put("rid", request.rid()));
                http.readHead();
                http.readBody();
            } catch (IOException e) {
                synchronized (this) {
                    broken.add(new Broken("abort of " + request.rid(), http, e.toString()));
                }
            }
        } catch (IOException e) {
            wrong("abort of " + request.rid() + ": no connection: " + e);
        }
    }

    private ReplyJudge judge(ChaosRequest request) {
        ExpectedReply expected = ExpectedReply.of(model, vocabulary, request.prompt(), request.params());
        return new ReplyJudge(request, expected, vocabulary, incremental);
    }

    private synchronized void gap(long gapNs) {
        longestGapNs = Math.max(longestGapNs, gapNs);
    }

    private synchronized void count(ChaosRequest request, ReplyJudge judge) {
        Verdict verdict = judge.verdict();
        verdicts.merge(verdict, 1, Integer::sum);
        if (verdict == Verdict.WRONG) {
            wrong.add(request.rid() + " (" + request.kind() + "): " + judge.problem());
        } else if (verdict == Verdict.WHOLE) {
            ended.add(request.rid());
        }
    }

    private synchronized void wrong(String what) {
        verdicts.merge(Verdict.WRONG, 1, Integer::sum);
        wrong.add(what);
    }

    @Override
    public void close() {
        synchronized (this) {
            closed = true;
            notifyAll();
        }
        threads.forEach(Thread::interrupt);
    }
}
