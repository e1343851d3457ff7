package dpserve.controller;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dpserve.io.WireRid;
import dpserve.io.codec.TextSpan;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RidMapTest {
    private final RidMap map = new RidMap();

    private static String rid(String user, long n) {
        return new WireRid(user, 7, n, 0).toString();
    }

    @Test
    void shouldCountPerRankFromBeginToEnd() {
        map.begin(rid("a", 1), 0, 2, 50, 100);
        map.begin(rid("b", 2), 1, 2, 50, 20);
        assertThat(map.requests(2)).isEqualTo(2);
        assertThat(map.tokens(2)).isEqualTo(120);
        assertThat(map.hash(2)).isEqualTo(WireRid.hash64(rid("a", 1)) ^ WireRid.hash64(rid("b", 2)));

        assertThat(map.end(rid("a", 1))).isTrue();
        assertThat(map.end(rid("b", 2))).isTrue();
        assertThat(map.requests(2)).isZero();
        assertThat(map.tokens(2)).isZero();
        assertThat(map.hash(2)).isZero();
    }

    @Test
    void shouldChangeNothingWhenARidEndsTwiceOrBeginsTwice() {
        map.begin(rid("a", 1), 0, 0, 50, 100);
        assertThat(map.begin(rid("a", 1), 3, 1, 60, 5)).isFalse();
        assertThat(map.get(rid("a", 1))).isEqualTo(new RidMap.Entry(rid("a", 1), 0, 0, 50, 100));
        assertThat(map.end(rid("a", 1))).isTrue();
        assertThat(map.end(rid("a", 1))).isFalse();
        assertThat(map.end("never seen")).isFalse();
        assertThat(map.requests(0)).isZero();
        assertThat(map.requests(1)).isZero();
    }

    @Test
    void shouldEndAnAttemptByTheBytesOfItsRid() {
        for (int n = 0; n < 3000; n++) {
            map.begin(rid("user", n), 0, n % 3, 50, 1);
        }
        map.begin(rid("größer", 7), 0, 2, 50, 1);
        for (int n = 0; n < 3000; n += 2) {
            byte[] frame = ("xx" + rid("user", n) + "yy").getBytes(StandardCharsets.UTF_8);
            assertThat(map.end(new TextSpan(frame, 2, frame.length - 2))).isTrue();
            assertThat(map.end(new TextSpan(frame, 2, frame.length - 2))).isFalse();
        }
        byte[] accented = rid("größer", 7).getBytes(StandardCharsets.UTF_8);
        assertThat(map.end(new TextSpan(accented, 0, accented.length))).isTrue();
        assertThat(map.end(new TextSpan(accented, 0, 0))).isFalse();
        assertThat(map.end(rid("größer", 7))).isFalse();
        assertThat(map.size()).isEqualTo(1500);
        assertThat(map.contains(rid("user", 1))).isTrue();
    }

    @Test
    void shouldKnowTheHashWheneverItIsAskedFor() {
        long expected = 0;
        Random random = new Random(11);
        List<String> present = new ArrayList<>();
        for (int n = 0; n < 4000; n++) {
            if (present.isEmpty() || random.nextInt(3) > 0) {
                String begun = rid("u", n);
                map.begin(begun, 0, 1, 50, 1);
                map.begin(rid("other rank", n), 0, 0, 50, 1);
                present.add(begun);
                expected ^= WireRid.hash64(begun);
            } else {
                String ended = present.remove(random.nextInt(present.size()));
                map.end(ended);
                expected ^= WireRid.hash64(ended);
            }
            if (random.nextInt(50) == 0) {
                assertThat(map.hash(1)).isEqualTo(expected);
            }
        }
        assertThat(map.hash(1)).isEqualTo(expected);
        present.forEach(map::end);
        assertThat(map.hash(1)).isZero();
        assertThat(map.isConsistent()).isTrue();
    }

    @Test
    void shouldKnowTheMostAttemptsSinceItWasEmpty() {
        map.begin(rid("a", 1), 0, 0, 50, 1);
        map.begin(rid("b", 2), 0, 0, 50, 1);
        map.end(rid("a", 1));
        map.begin(rid("c", 3), 0, 0, 50, 1);
        assertThat(map.peak()).isEqualTo(2);
        map.end(rid("b", 2));
        map.end(rid("c", 3));
        assertThat(map.peak()).isEqualTo(2);
        map.begin(rid("d", 4), 0, 0, 50, 1);
        assertThat(map.peak()).isEqualTo(1);
    }

    @Test
    void shouldEndOnlyTheIncarnationThatDied() {
        map.begin(rid("old", 1), 0, 0, 50, 1);
        map.begin(rid("new", 2), 0, 0, 51, 1);
        map.begin(rid("other", 3), 0, 1, 50, 1);
        assertThat(map.endRank(0, 50)).extracting(RidMap.Entry::rid).containsExactly(rid("old", 1));
        assertThat(map.size()).isEqualTo(2);
        assertThat(map.requests(0)).isEqualTo(1);
    }

    @Test
    void shouldFindEveryAttemptOfAUser() {
        map.begin(rid("a", 1), 0, 0, 50, 1);
        map.begin(rid("a", 2), 1, 1, 50, 1);
        map.begin(rid("ab", 3), 0, 0, 50, 1);
        map.begin(rid("a" + WireRid.SEPARATOR + "x", 4), 0, 0, 50, 1);
        assertThat(map.ofUser("a")).extracting(RidMap.Entry::rid).containsExactlyInAnyOrder(rid("a", 1), rid("a", 2));
    }

    @Test
    void shouldNotMakeATextOfEveryAttemptToFindThoseOfAUser() {
        int attempts = 10_000;
        for (int n = 0; n < attempts; n++) {
            map.begin(rid("user" + n, n), 0, 0, 50, 1);
        }
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        map.ofUser("nobody");
        long before = threads.getCurrentThreadAllocatedBytes();
        assertThat(map.ofUser("user7")).hasSize(1);
        assertThat((threads.getCurrentThreadAllocatedBytes() - before) / attempts)
                .isZero();
    }

    @Test
    void shouldGiveOrphansToTheWorkerTheirRidNames() {
        map.begin(rid("a", 1), RidMap.NO_WORKER, 0, 50, 0);
        map.begin("no wire rid", RidMap.NO_WORKER, 0, 50, 0);
        map.adopt(4, 7);
        assertThat(map.get(rid("a", 1)).worker()).isEqualTo(4);
        assertThat(map.get("no wire rid").worker()).isEqualTo(RidMap.NO_WORKER);
        assertThat(map.endWorker(4)).hasSize(1);
    }

    @Test
    void shouldEqualAPlainMapUnderRandomUse() {
        Random random = new Random(3);
        Map<String, RidMap.Entry> reference = new HashMap<>();
        List<String> known = new ArrayList<>();
        for (int i = 0; i < 60_000; i++) {
            // Grows beyond the initial size, then shrinks to nothing.
            boolean begin = random.nextInt(100) < (i < 30_000 ? 60 : 35);
            if (begin) {
                String r = rid(
                        "u".repeat(1 + random.nextInt(60)) + random.nextInt(50), i); // some too long for their places
                RidMap.Entry e = new RidMap.Entry(r, random.nextInt(4), random.nextInt(5), 9, random.nextInt(1000));
                map.begin(r, e.worker(), e.dpRank(), e.incarnation(), e.promptTokens());
                reference.put(r, e);
                known.add(r);
            } else if (!known.isEmpty()) {
                String r = known.get(random.nextInt(known.size()));
                assertThat(map.end(r)).isEqualTo(reference.remove(r) != null);
            }
            if (i % 5000 == 0) {
                assertSame(reference);
            }
        }
        for (int w = 0; w < 4; w++) {
            int worker = w;
            assertThat(map.endWorker(w)).hasSize((int) reference.values().stream()
                    .filter(e -> e.worker() == worker)
                    .count());
        }
        assertSame(Map.of());
    }

    private void assertSame(Map<String, RidMap.Entry> reference) {
        assertThat(map.size()).isEqualTo(reference.size());
        assertThat(map.isConsistent()).isTrue();
        reference.forEach((r, e) -> assertThat(map.get(r)).isEqualTo(e));
        for (int r = 0; r < 5; r++) {
            int rank = r;
            List<RidMap.Entry> its =
                    reference.values().stream().filter(e -> e.dpRank() == rank).toList();
            assertThat(map.requests(r)).isEqualTo(its.size());
            assertThat(map.tokens(r))
                    .isEqualTo(
                            its.stream().mapToLong(RidMap.Entry::promptTokens).sum());
            assertThat(map.hash(r))
                    .isEqualTo(
                            its.stream().mapToLong(e -> WireRid.hash64(e.rid())).reduce(0, (a, b) -> a ^ b));
        }
    }
}
