package dpserve.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Keys for clients, keys between processes, and where neither of them may be seen. */
class SecurityIT {
    private static final String USER = "user-key-for-this-test";
    private static final String ADMIN = "admin-key-for-this-test";

    @TempDir
    Path temp;

    @Test
    void shouldServeHoldersOfKeysOverEncryptedConnections() throws IOException {
        Path keys = temp.resolve("keys");
        Script made = Script.run("make-curve-keys.sh", "--no-build", keys.toString());
        assertThat(made.exitStatus()).as(made.output()).isZero();
        try (Topology topology = Topology.start(
                Map.of("DPSERVE_ADMIN_API_KEY", ADMIN),
                "--api-key",
                USER,
                "--curve-keys",
                keys.toString(),
                "--dp-size",
                "2",
                "--tokenizer-worker-num",
                "2",
                "--detokenizer-worker-num",
                "2",
                "--enable-dp-attention",
                "--load-report",
                "direct",
                "--time-scale",
                "0")) {
            Api api = topology.api();
            Api user = api.withKey(USER);
            Api admin = api.withKey(ADMIN);
            int[] prompt = Expected.encode("who may come in?");
            Map<String, Object> body =
                    Map.of("input_ids", prompt, "sampling_params", Map.of("max_new_tokens", 20, "ignore_eos", true));
            for (int i = 0; i < 20; i++) {
                assertThat(api.post("/generate", body).status()).isEqualTo(401);
                assertThat(user.post("/generate", body).json().get("text").asText())
                        .isEqualTo(Expected.full(prompt, 20).text());
            }
            assertThat(api.get("/health").status()).isEqualTo(200);
            assertThat(api.get("/metrics").status()).isEqualTo(200);
            assertThat(user.put("/load_balance", "{\"method\":\"least_requests\"}")
                            .status())
                    .isEqualTo(401);
            assertThat(admin.put("/load_balance", "{\"method\":\"least_requests\"}")
                            .status())
                    .isEqualTo(200);
            ServerInfo.awaitEmpty(user);
            assertThat(user.get("/server_info").body()).doesNotContain(USER).doesNotContain(ADMIN);
            for (Topology.ProcessInfo process : topology.processes()) {
                assertThat(Files.readString(Path.of("/proc/" + process.pid() + "/cmdline")))
                        .doesNotContain(USER)
                        .doesNotContain(ADMIN);
            }
            List<String> secrets = List.of(USER, ADMIN, secretOf(keys));
            try (Stream<Path> files = Files.walk(topology.runFolder())) {
                files.filter(Files::isRegularFile)
                        .forEach(file -> secrets.forEach(secret ->
                                assertThat(read(file)).as(file.toString()).doesNotContain(secret)));
            }
        }
    }

    @Test
    void shouldRefuseZeroMqBeyondLoopbackWithoutKeys() {
        Script script = Script.run(
                "launch.sh", "--no-build", "--run-dir", temp.resolve("run").toString(), "--zmq-host", "0.0.0.0");
        assertThat(script.exitStatus()).isNotZero();
        assertThat(script.output()).contains("is not on loopback").contains("--curve-keys");
    }

    private static String secretOf(Path keys) throws IOException {
        String text = Files.readString(keys.resolve("topology.key_secret"));
        int from = text.indexOf("secret-key = \"") + "secret-key = \"".length();
        return text.substring(from, text.indexOf('"', from));
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
