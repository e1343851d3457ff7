package dpserve.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Archives of class data: made by one launch, used by the next, and never the reason why one fails. */
class ClassDataIT {
    private static final Path FOLDER = Script.repository().resolve("target/class-data");
    private static final int ROLES = 4;

    @Test
    void shouldUseArchivesAndServeWithoutThemWhenTheyAreDamaged() throws IOException {
        deleteArchives();
        try (Topology first = Topology.start("--time-scale", "0")) {
            serve(first);
            await().atMost(Duration.ofSeconds(60)).until(() -> archives().size() == ROLES);
        }
        try (Topology second = Topology.start("--time-scale", "0")) {
            serve(second);
            for (Topology.ProcessInfo process : second.processes()) {
                assertThat(mapped(process)).as(process.role()).contains(FOLDER + "/");
            }
        }
        for (Path archive : archives()) {
            damage(archive);
        }
        try (Topology third = Topology.start("--time-scale", "0")) {
            serve(third);
            for (Topology.ProcessInfo process : third.processes()) {
                assertThat(mapped(process)).as(process.role()).doesNotContain(FOLDER + "/");
                assertThat(process.log()).content().doesNotContainIgnoringCase("cds");
            }
        } finally {
            deleteArchives(); // the next launch makes them anew
        }
    }

    private static void deleteArchives() throws IOException {
        for (Path archive : archives()) {
            Files.delete(archive);
        }
    }

    private static void serve(Topology topology) {
        assertThat(topology.api()
                        .post("/generate", Map.of("text", "class data"))
                        .status())
                .isEqualTo(200);
    }

    /** The archives that are complete. */
    private static List<Path> archives() throws IOException {
        if (!Files.isDirectory(FOLDER)) {
            return List.of();
        }
        try (Stream<Path> files = Files.walk(FOLDER, 2)) {
            return files.filter(f -> f.toString().endsWith(".jsa"))
                    .filter(f -> Files.exists(Path.of(f + ".sources")))
                    .toList();
        }
    }

    private static String mapped(Topology.ProcessInfo process) throws IOException {
        return Files.readString(Path.of("/proc/" + process.pid() + "/maps"));
    }

    private static void damage(Path archive) throws IOException {
        byte[] half = Files.readAllBytes(archive);
        Files.delete(archive); // read-only, as the JVM writes it
        Files.write(archive, Arrays.copyOf(half, half.length / 2), StandardOpenOption.CREATE_NEW);
    }
}
