package dpserve.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RadixCacheTest {
    private final RadixCache cache = new RadixCache();

    private static int[] ids(int... ids) {
        return ids;
    }

    private int match(int... ids) {
        return cache.matchLength("", ids, ids.length);
    }

    private RadixCache.Node insert(int... ids) {
        return cache.insert("", ids, ids.length);
    }

    @Test
    void shouldMatchTheLongestPrefixAlsoInsideANode() {
        insert(1, 2, 3, 4);
        assertThat(match(1, 2, 3, 4, 5)).isEqualTo(4);
        assertThat(match(1, 2, 9)).isEqualTo(2);
        assertThat(match(2)).isZero();
        assertThat(cache.matchLength("", ids(1, 2, 3, 4), 3)).isEqualTo(3);
    }

    @Test
    void shouldHoldASharedPrefixOnce() {
        insert(1, 2, 3, 4);
        insert(1, 2, 5);
        insert(1, 2);
        assertThat(cache.size()).isEqualTo(5);
        assertThat(match(1, 2, 3, 4)).isEqualTo(4);
        assertThat(match(1, 2, 5)).isEqualTo(3);
    }

    @Test
    void shouldKeepNamespacesApart() {
        cache.insert("a", ids(1, 2, 3), 3);
        assertThat(cache.matchLength("b", ids(1, 2, 3), 3)).isZero();
        assertThat(cache.matchLength("a", ids(1, 2, 3), 3)).isEqualTo(3);
        cache.insert("b", ids(1, 2, 3), 3);
        assertThat(cache.size()).isEqualTo(6);
    }

    @Test
    void shouldEvictLeastRecentlyUsedLeavesFirst() {
        insert(1, 2);
        insert(3, 4);
        insert(5, 6);
        cache.unlock(cache.lockPrefix("", ids(1, 2), 2));
        assertThat(cache.evict(1)).isEqualTo(2);
        assertThat(match(3, 4)).isZero();
        assertThat(cache.evict(2)).isEqualTo(2);
        assertThat(match(5, 6)).isZero();
        assertThat(match(1, 2)).isEqualTo(2);
    }

    @Test
    void shouldEvictAParentOnceItsChildrenAreGone() {
        insert(1, 2, 3);
        insert(1, 2, 4);
        assertThat(cache.evict(2)).isEqualTo(2);
        assertThat(match(1, 2)).isEqualTo(2);
        assertThat(cache.evict(100)).isEqualTo(2);
        assertThat(cache.size()).isZero();
    }

    @Test
    void shouldNotEvictALockedPathThoughItIsSplitMeanwhile() {
        RadixCache.Node locked = insert(1, 2, 3, 4);
        cache.lock(locked);
        insert(1, 2, 9);
        assertThat(cache.lockedTokens()).isEqualTo(4);
        assertThat(cache.evict(100)).isEqualTo(1);
        assertThat(match(1, 2, 3, 4)).isEqualTo(4);
        cache.unlock(locked);
        assertThat(cache.unlockedTokens()).isEqualTo(4);
        assertThat(cache.evict(100)).isEqualTo(4);
    }

    @Test
    void shouldLockOncePerHolder() {
        RadixCache.Node node = insert(1, 2);
        cache.lock(node);
        cache.lock(node);
        cache.unlock(node);
        assertThat(cache.lockedTokens()).isEqualTo(2);
        cache.unlock(node);
        assertThat(cache.lockedTokens()).isZero();
        assertThatThrownBy(() -> cache.unlock(node)).isInstanceOf(IllegalStateException.class);
    }

    /** The reference keeps every held prefix as a list of its own and scans them all. */
    private static final class Reference {
        private final Set<List<Integer>> prefixes = new HashSet<>();

        void insert(String namespace, int[] ids) {
            for (int n = 1; n <= ids.length; n++) {
                prefixes.add(key(namespace, ids, n));
            }
        }

        int matchLength(String namespace, int[] ids) {
            int n = 0;
            while (n < ids.length && prefixes.contains(key(namespace, ids, n + 1))) {
                n++;
            }
            return n;
        }

        private static List<Integer> key(String namespace, int[] ids, int n) {
            List<Integer> key = new ArrayList<>(List.of(namespace.hashCode()));
            Arrays.stream(ids, 0, n).forEach(key::add);
            return key;
        }
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(ints = {1, 2, 3, 4, 5})
    void shouldHoldWhatANaiveReferenceHolds(int seed) {
        Random random = new Random(seed);
        Reference reference = new Reference();
        for (int i = 0; i < 600; i++) {
            int[] ids = random.ints(1 + random.nextInt(12), 0, 3).toArray();
            String namespace = random.nextBoolean() ? "" : "b";
            assertThat(cache.matchLength(namespace, ids, ids.length)).isEqualTo(reference.matchLength(namespace, ids));
            if (random.nextBoolean()) {
                RadixCache.Node node = cache.lockPrefix(namespace, ids, ids.length);
                assertThat(node.end()).isEqualTo(reference.matchLength(namespace, ids));
                cache.unlock(node);
            } else {
                assertThat(cache.insert(namespace, ids, ids.length).end()).isEqualTo(ids.length);
                reference.insert(namespace, ids);
            }
            assertThat(cache.size()).isEqualTo(reference.prefixes.size());
        }
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(ints = {1, 2, 3, 4, 5})
    void shouldNeverLoseALockedPrefixUnderEviction(int seed) {
        Random random = new Random(seed);
        List<int[]> lockedIds = new ArrayList<>();
        List<RadixCache.Node> locked = new ArrayList<>();
        for (int i = 0; i < 3000; i++) {
            int[] ids = random.ints(1 + random.nextInt(12), 0, 4).toArray();
            switch (random.nextInt(4)) {
                case 0 -> {
                    locked.add(cache.insert("", ids, ids.length));
                    cache.lock(locked.get(locked.size() - 1));
                    lockedIds.add(ids);
                }
                case 1 -> cache.insert("", ids, ids.length);
                case 2 -> {
                    int before = cache.unlockedTokens();
                    int wanted = random.nextInt(20);
                    int gone = cache.evict(wanted);
                    assertThat(cache.unlockedTokens()).isEqualTo(before - gone);
                    assertThat(gone).isGreaterThanOrEqualTo(Math.min(wanted, before));
                }
                default -> {
                    if (!locked.isEmpty()) {
                        int which = random.nextInt(locked.size());
                        cache.unlock(locked.remove(which));
                        lockedIds.remove(which);
                    }
                }
            }
            for (int k = 0; k < locked.size(); k++) {
                assertThat(locked.get(k).end()).isEqualTo(lockedIds.get(k).length);
                assertThat(match(lockedIds.get(k))).isEqualTo(lockedIds.get(k).length);
            }
        }
        locked.forEach(cache::unlock);
        assertThat(cache.lockedTokens()).isZero();
        cache.evict(Integer.MAX_VALUE);
        assertThat(cache.size()).isZero();
    }
}
