package dpserve.controller.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dpserve.io.Env;
import dpserve.io.message.GetLoadReqOutput;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ReportInjectionTest {
    private final BlockingQueue<List<GetLoadReqOutput>> through = new LinkedBlockingQueue<>();

    private ReportInjection injection(String name, String value) {
        return new ReportInjection(new Env(Map.of(name, value)), 1.0, through::add);
    }

    private static List<GetLoadReqOutput> load(int dpRank, int numReqs) {
        return List.of(GetLoadReqOutput.legacy(dpRank, numReqs, 0, 0, 0));
    }

    @Test
    void shouldLetReportsThroughOnTheSameThreadUnlessAskedOtherwise() {
        try (ReportInjection none = new ReportInjection(new Env(Map.of()), 1.0, through::add)) {
            none.add(load(0, 5));
            assertThat(through).containsExactly(load(0, 5));
        }
    }

    @Test
    void shouldHoldReportsBackForTheDelayAndKeepTheirOrder() throws Exception {
        try (ReportInjection late = injection(ReportInjection.DELAY_MS, "50")) {
            long from = System.nanoTime();
            late.add(load(0, 1));
            late.add(load(0, 2));
            assertThat(through.poll(10, TimeUnit.SECONDS)).isEqualTo(load(0, 1));
            assertThat(System.nanoTime() - from).isGreaterThanOrEqualTo(50_000_000L);
            assertThat(through.poll(10, TimeUnit.SECONDS)).isEqualTo(load(0, 2));
            late.setDelayMs(0);
            late.add(load(0, 3));
            assertThat(through).containsExactly(load(0, 3));
        }
    }

    @Test
    void shouldKeepOneOfSoManyReportsOfEachRank() {
        try (ReportInjection thinned = injection(ReportInjection.EVERY, "3")) {
            for (int i = 1; i <= 7; i++) {
                thinned.add(load(0, i));
                thinned.add(load(1, i * 10));
            }
            List<Integer> seen = new ArrayList<>();
            through.forEach(loads -> seen.add(loads.get(0).numReqs()));
            assertThat(seen).containsExactly(3, 30, 6, 60);
        }
    }

    @Test
    void shouldLoseTheShareAskedFor() {
        try (ReportInjection lossy = injection(ReportInjection.DROP, "0.25")) {
            for (int i = 0; i < 4000; i++) {
                lossy.add(load(0, i));
            }
            assertThat(through.size()).isBetween(2900, 3100);
        }
    }

    @Test
    void shouldNameTheVariableThatIsWrong() {
        assertThatThrownBy(() -> injection(ReportInjection.DROP, "1.5")).hasMessageContaining(ReportInjection.DROP);
        assertThatThrownBy(() -> injection(ReportInjection.EVERY, "0")).hasMessageContaining(ReportInjection.EVERY);
        assertThatThrownBy(() -> injection(ReportInjection.DELAY_MS, "x"))
                .hasMessageContaining(ReportInjection.DELAY_MS);
    }
}
