package dpserve.controller;

import static dpserve.controller.Harness.MS;
import static dpserve.controller.Harness.info;
import static org.assertj.core.api.Assertions.assertThat;

import dpserve.controller.policy.Policies;
import dpserve.io.WireRid;
import dpserve.io.message.AbortReq;
import dpserve.io.message.GetLoadReqOutput;
import dpserve.io.message.RankDown;
import dpserve.io.message.Refused;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Random requests, ends, aborts, deaths, restarts and reports against a plain reference that knows where every request
 * really is: it follows the frames that ranks were sent and the notices that workers got.
 */
class RandomEventsTest {
    private static final int RANKS = 4;
    private static final int WORKERS = 2;

    private final Random random;
    private final Harness h;
    private final long[] incarnations = new long[RANKS];
    private final long[] workerIncarnations = {100, 101};
    private final List<RankModel> models = new ArrayList<>();

    /** Where each attempt is that has begun and not ended: a dp_rank, or -1 while held. */
    private final Map<String, Integer> where = new HashMap<>();

    private final Map<String, Integer> tokens = new HashMap<>();
    private final Map<String, Integer> owner = new HashMap<>();
    private long next = 1;

    /** What one incarnation of a rank has received, and the reports it made that are still under way. */
    private static final class RankModel {
        private final int dpRank;
        private boolean alive;
        private long incarnation;
        private final Set<String> held = new HashSet<>();
        private final Set<String> everReceived = new HashSet<>();
        private final List<GetLoadReqOutput> underWay = new ArrayList<>();
        private long seq;
        private long received;
        private long receivedTokens;
        private long ended;
        private long endedTokens;
        private int takenFrames;

        private RankModel(int dpRank) {
            this.dpRank = dpRank;
        }
    }

    RandomEventsTest() {
        this.random = new Random(17);
        this.h = new Harness(RANKS, WORKERS, 0, Policies.create("shortest_queue", new Policies.Settings(1, 1)));
        for (int r = 0; r < RANKS; r++) {
            models.add(new RankModel(r));
            incarnations[r] = 1000;
        }
        for (int w = 0; w < WORKERS; w++) {
            h.workerUp(w, workerIncarnations[w]);
        }
    }

    @ParameterizedTest
    @CsvSource({"1", "2", "3", "4", "5", "6"})
    void shouldAlwaysCountWhatIsReallyInFlight(long seed) {
        random.setSeed(seed);
        for (int i = 0; i < 6000; i++) {
            step();
            if (i % 20 == 0) {
                check();
            }
        }
        comeToRest();
        check();
        assertThat(h.controller.rids().size()).isZero();
        assertThat(h.controller.heldRequests()).isZero();
        for (int r = 0; r < RANKS; r++) {
            assertThat(h.controller.view().requests(r)).isZero();
            assertThat(h.controller.view().inFlightPromptTokens(r)).isZero();
            assertThat(h.controller.rids().hash(r)).isZero();
        }
        assertThat(h.controller.view().impossibleCounts()).isZero();
        assertThat(h.count(Count.POLICY_CHOSE_DEAD_RANK)).isZero();
        assertThat(List.of(
                        h.count(Count.LOST_WITH_RANK),
                        h.count(Count.ORPHANED_BY_WORKER),
                        h.count(Count.HELD),
                        h.count(Count.REPORTS_STALE)))
                .as("the run met deaths, restarts, waits and old reports")
                .allMatch(n -> n > 0);
    }

    private void step() {
        int dice = random.nextInt(1000);
        RankModel rank = models.get(random.nextInt(RANKS));
        if (dice < 420) {
            request();
        } else if (dice < 700) {
            endSome();
        } else if (dice < 900) {
            rankWorks(rank);
        } else if (dice < 960) {
            deliverReports(rank, false);
        } else if (dice < 975) {
            abort();
        } else if (dice < 985 && rank.alive) {
            killSilently(rank);
        } else if (dice < 990 && !rank.alive) {
            start(rank);
        } else if (dice == 997) {
            restartWorker(random.nextInt(WORKERS));
        } else if (dice == 998 && rank.alive) {
            start(rank);
        }
        passTime(20);
        followOutput();
    }

    private void request() {
        int worker = random.nextInt(WORKERS);
        String rid = new WireRid("u" + random.nextInt(30), workerIncarnations[worker], next++, 0).toString();
        int promptTokens = random.nextInt(500);
        where.put(rid, -1);
        tokens.put(rid, promptTokens);
        owner.put(rid, worker);
        h.request(worker, info(rid, promptTokens));
        for (RankModel m : models) {
            List<Object> got = h.out.ranks.getOrDefault(m.dpRank, List.of());
            for (; m.takenFrames < got.size(); m.takenFrames++) {
                // Frames of requests look alike; this one can only be the request just made.
                if (got.get(m.takenFrames) instanceof byte[] frame && frame.length == 3 && frame[0] == 9) {
                    where.put(rid, m.dpRank);
                }
            }
        }
    }

    private void endSome() {
        List<String> known = new ArrayList<>(where.keySet());
        if (!known.isEmpty()) {
            String rid = known.get(random.nextInt(known.size()));
            h.end(owner.get(rid), rid, "never seen");
            if (where.get(rid) >= 0) {
                rankEnds(models.get(where.get(rid)), rid);
            }
            forget(rid);
        }
    }

    /** The rank takes in what it was sent, ends some of it, and reports. */
    private void rankWorks(RankModel m) {
        if (!m.alive) {
            return;
        }
        where.forEach((rid, at) -> {
            if (at == m.dpRank && random.nextInt(3) > 0) {
                rankReceives(m, rid);
            }
        });
        for (String rid : new ArrayList<>(m.held)) {
            if (random.nextInt(10) == 0) {
                rankEnds(m, rid);
            }
        }
        m.seq++;
        m.underWay.add(new GetLoadReqOutput(
                null,
                null,
                m.dpRank,
                m.held.size(),
                0,
                0,
                h.nowNs / 1e9,
                m.incarnation,
                m.seq,
                m.received,
                m.receivedTokens,
                m.ended,
                m.endedTokens,
                0,
                0,
                0,
                0,
                0,
                0));
    }

    private void rankReceives(RankModel m, String rid) {
        if (m.everReceived.add(rid)) {
            m.held.add(rid);
            m.received++;
            m.receivedTokens += tokens.get(rid);
        }
    }

    private void rankEnds(RankModel m, String rid) {
        rankReceives(m, rid);
        if (m.held.remove(rid)) {
            m.ended++;
            m.endedTokens += tokens.get(rid);
        }
    }

    private void deliverReports(RankModel m, boolean all) {
        java.util.Collections.shuffle(m.underWay, random);
        int n = all ? m.underWay.size() : Math.min(m.underWay.size(), random.nextInt(4));
        List<GetLoadReqOutput> out = new ArrayList<>(m.underWay.subList(0, n));
        m.underWay.subList(0, n).clear();
        out.forEach(l -> h.controller.onReports(List.of(l), h.nowNs));
        if (!out.isEmpty() && random.nextBoolean()) {
            h.controller.onReports(out, h.nowNs);
        }
    }

    private void abort() {
        h.inStream(random.nextInt(WORKERS), AbortReq.of("u" + random.nextInt(30), Harness.WORKER_ENDPOINT + 0));
        h.inStream(random.nextInt(WORKERS), AbortReq.of("gone\u001f1.1.0", Harness.WORKER_ENDPOINT + 0));
    }

    private void killSilently(RankModel m) {
        m.alive = false;
    }

    private void start(RankModel m) {
        m.incarnation = ++incarnations[m.dpRank];
        m.alive = true;
        m.held.clear();
        m.everReceived.clear();
        m.seq = 0;
        m.received = 0;
        m.receivedTokens = 0;
        m.ended = 0;
        m.endedTokens = 0;
        h.rankUp(m.dpRank, m.incarnation);
    }

    private void restartWorker(int worker) {
        workerIncarnations[worker] += 10;
        h.workerUp(worker, workerIncarnations[worker]);
        for (String rid : new ArrayList<>(where.keySet())) {
            if (owner.get(rid) == worker) {
                forget(rid);
            }
        }
    }

    private void passTime(long ms) {
        h.nowNs += ms * MS;
        for (RankModel m : models) {
            if (m.alive) {
                h.controller.onDirectMessage(Harness.beat(m.dpRank, m.incarnation), h.nowNs);
            }
        }
        h.controller.onTick(h.nowNs);
    }

    /** What the workers were told ends attempts; a rank that comes up takes all that was held. */
    private void followOutput() {
        for (int w = 0; w < WORKERS; w++) {
            for (Object o : h.out.takeWorker(w)) {
                if (o instanceof RankDown down) {
                    for (String rid : down.rids()) {
                        assertThat(where).containsEntry(rid, down.dpRank());
                        assertThat(owner).containsEntry(rid, w);
                        forget(rid);
                    }
                } else if (o instanceof Refused refused) {
                    forget(refused.rid());
                } else if (o instanceof AbortReq ended) {
                    assertThat(where).containsEntry(ended.rid(), -1);
                    forget(ended.rid());
                }
            }
        }
        for (String rid : where.keySet()) {
            RidMap.Entry entry = h.controller.rids().get(rid);
            if (where.get(rid) < 0 && entry != null) {
                where.put(rid, entry.dpRank());
            }
        }
        h.out.ranks.clear();
        models.forEach(m -> m.takenFrames = 0);
    }

    private void forget(String rid) {
        where.remove(rid);
    }

    private void check() {
        int held = 0;
        for (int at : where.values()) {
            held += at < 0 ? 1 : 0;
        }
        assertThat(h.controller.heldRequests()).isEqualTo(held);
        for (int r = 0; r < RANKS; r++) {
            long requests = 0;
            long promptTokens = 0;
            long hash = 0;
            long endedByRank = 0;
            for (Map.Entry<String, Integer> e : where.entrySet()) {
                if (e.getValue() == r) {
                    requests++;
                    promptTokens += tokens.get(e.getKey());
                    hash ^= WireRid.hash64(e.getKey());
                    RankModel m = models.get(r);
                    endedByRank += m.everReceived.contains(e.getKey()) && !m.held.contains(e.getKey()) ? 1 : 0;
                }
            }
            LoadView view = h.controller.view();
            assertThat(view.inFlightRequests(r)).isEqualTo(requests);
            assertThat(view.inFlightPromptTokens(r)).isEqualTo(promptTokens);
            assertThat(h.controller.rids().hash(r)).isEqualTo(hash);
            assertThat(view.requests(r)).as("never below the truth").isBetween(requests - endedByRank, requests);
        }
    }

    private void comeToRest() {
        for (String rid : new ArrayList<>(where.keySet())) {
            h.end(owner.get(rid), rid);
            forget(rid);
        }
        for (RankModel m : models) {
            deliverReports(m, true);
        }
        followOutput();
    }
}
