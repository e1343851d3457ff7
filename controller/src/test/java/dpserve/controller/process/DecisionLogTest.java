package dpserve.controller.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dpserve.controller.decision.DecisionCodec;
import dpserve.controller.decision.DecisionEntry;
import dpserve.io.LogLimiter;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.msgpack.core.MessagePack;
import org.msgpack.core.MessageUnpacker;
import org.slf4j.helpers.NOPLogger;

class DecisionLogTest {
    private static final DecisionEntry ENTRY = new DecisionEntry.PolicySet(1.5, "round_robin", 1, 1, 1);

    @TempDir
    private Path folder;

    private final LogLimiter limiter = new LogLimiter(NOPLogger.NOP_LOGGER);

    private static long entries(Path file) throws IOException {
        try (MessageUnpacker in = MessagePack.newDefaultUnpacker(Files.readAllBytes(file))) {
            DecisionCodec.readHeader(in);
            DecisionCodec codec = new DecisionCodec();
            long read = 0;
            while (in.hasNext()) {
                assertThat(codec.read(in).number()).isEqualTo(read++);
            }
            return read;
        }
    }

    @Test
    void shouldHaveWrittenEverythingOnceClosed() throws IOException {
        Path file = folder.resolve("decisions");
        try (DecisionLog log = new DecisionLog(file, 1 << 20, 4, limiter)) {
            for (int i = 0; i < 1000; i++) {
                log.accept(ENTRY);
            }
        }
        assertThat(entries(file)).isEqualTo(1000);
        assertThat(limiter.totals()).isEmpty();
    }

    @Test
    void shouldStayWithinItsLimitAndCountTheRest() throws IOException {
        Path file = folder.resolve("decisions");
        try (DecisionLog log = new DecisionLog(file, 2000, 4, limiter)) {
            for (int i = 0; i < 1000; i++) {
                log.accept(ENTRY);
            }
        }
        assertThat(Files.size(file)).isBetween(1900L, 2000L);
        assertThat(limiter.totals().get("decision_log_full") + entries(file)).isEqualTo(1000);
    }

    @Test
    void shouldKeepNothingAndCountAllOnceItCannotWriteAnyMore() {
        OutputStream full = new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                throw new IOException("No space left on device");
            }
        };
        DecisionLog log = new DecisionLog(full, 1 << 20, 4, limiter);
        for (int i = 0; i < 300; i++) {
            log.accept(ENTRY);
        }
        log.close();
        for (int i = 0; i < 700; i++) {
            log.accept(ENTRY);
        }
        assertThat(log.waiting()).isZero();
        assertThat(limiter.totals()).containsExactly(Map.entry("decision_log_ended", 1000L));
    }

    @Test
    void shouldNotBeginWhereItCannotWrite() {
        assertThatThrownBy(() -> new DecisionLog(folder, 2000, 4, limiter))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("--decision-log");
    }
}
