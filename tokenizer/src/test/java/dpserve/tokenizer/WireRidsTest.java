package dpserve.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.io.WireRid;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WireRidsTest {

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 4, 7})
    void shouldGiveEachDetokenizerAsManySequences(int detokenizers) {
        WireRids rids = new WireRids(1_700_000_000_000L);
        rids.spreadOver(detokenizers);
        Random random = new Random(5);
        int[] counts = new int[detokenizers];
        Set<String> all = new HashSet<>();
        for (int i = 0; i < 10_000; i++) {
            String rid = rids.next(i % 3 == 0 ? "same" : Long.toHexString(random.nextLong()));
            counts[WireRid.detokenizer(rid, detokenizers)]++;
            all.add(rid);
        }
        assertThat(all).as("none is given twice").hasSize(10_000);
        for (int count : counts) {
            assertThat(count).isBetween(10_000 / detokenizers - 5, 10_000 / detokenizers + 5);
        }
    }

    @Test
    void shouldCountUpWithOneDetokenizer() {
        WireRids rids = new WireRids(7);
        assertThat(rids.next("a")).isEqualTo(new WireRid("a", 7, 0, 0).toString());
        rids.spreadOver(0);
        assertThat(rids.next("b")).isEqualTo(new WireRid("b", 7, 1, 0).toString());
    }
}
