package dpserve.tokenizer.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dpserve.io.message.AbortReq;
import dpserve.io.message.EndNotice;
import dpserve.io.message.Hello;
import dpserve.io.message.RankDown;
import dpserve.io.message.TokenizedGenerateReqInput;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** The HTTP server and the worker around it, against a scripted controller and ranks over real sockets. */
@SuppressWarnings("try") // a socket that is only closed
class HttpApiTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    /** For megabytes of output that nobody reads. */
    private static final long UNREAD_PATIENCE_NS = 120_000_000_000L;

    private static final long PATIENCE_NS = 20_000_000_000L;

    private static FakeBackend backend;
    private static TokenizerProcess process;
    private static URI base;

    private final HttpClient http = HttpClient.newHttpClient();

    @BeforeAll
    static void start() throws Exception {
        int port = TestPorts.free();
        TokenizerManagerMain args = new TokenizerManagerMain();
        new CommandLine(args)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .parseArgs(
                        "--port",
                        "" + port,
                        "--dp-size",
                        "2",
                        "--max-request-bytes",
                        "400000",
                        "--on-rank-failure",
                        "fail");
        process = new TokenizerProcess(args);
        process.start();
        backend = new FakeBackend(args.topology.endpoints(), 2);
        base = URI.create("http://127.0.0.1:" + port);
        HttpApiTest test = new HttpApiTest();
        await(() -> test.get("/health").statusCode() == 200);
    }

    @AfterAll
    static void stop() throws Exception {
        process.close();
        backend.close();
    }

    /** Looks again until it holds. */
    private static void await(BooleanSupplier condition) {
        long deadline = System.nanoTime() + PATIENCE_NS;
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("patience").isLessThan(deadline);
            Thread.onSpinWait();
        }
    }

    private HttpResponse<String> get(String path) {
        return send(HttpRequest.newBuilder(base.resolve(path)).build());
    }

    private HttpResponse<String> post(String path, String body) {
        return send(HttpRequest.newBuilder(base.resolve(path))
                .POST(HttpRequest.BodyPublishers.ofString(body.replace('\'', '"')))
                .build());
    }

    private HttpResponse<String> send(HttpRequest request) {
        try {
            return http.send(request, BodyHandlers.ofString());
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private static JsonNode json(HttpResponse<String> response) throws Exception {
        return JSON.readTree(response.body());
    }

    /** The JSON of each event; the last one must be [DONE]. */
    private static List<JsonNode> events(HttpResponse<String> response) throws Exception {
        assertThat(response.headers().firstValue("content-type").orElseThrow()).startsWith("text/event-stream");
        List<JsonNode> events = new ArrayList<>();
        String[] parts = response.body().split("\n\n");
        for (int i = 0; i < parts.length - 1; i++) {
            assertThat(parts[i]).startsWith("data: ");
            events.add(JSON.readTree(parts[i].substring("data: ".length())));
        }
        assertThat(parts[parts.length - 1]).isEqualTo("data: [DONE]");
        return events;
    }

    @Test
    void shouldAnswerWholeWhatAnotherServerHasMadeWhole() throws Exception {
        String resume = "'resume': {'output_ids': [5, 6], 'text': 'done'}";
        JsonNode generate =
                json(post("/generate", "{'input_ids': [1], 'sampling_params': {'max_new_tokens': 2}, " + resume + "}"));
        assertThat(generate.path("text").asText()).isEqualTo("done");
        assertThat(generate.path("meta_info").path("completion_tokens").asInt()).isEqualTo(2);
        JsonNode completion = json(post("/v1/completions", "{'prompt': [1], 'max_tokens': 2, " + resume + "}"));
        assertThat(completion.path("choices").path(0).path("text").asText()).isEqualTo("done");
        assertThat(completion.path("usage").path("completion_tokens").asInt()).isEqualTo(2);
    }

    @Test
    void shouldAnswerAPlainRequest() throws Exception {
        JsonNode reply = json(
                post("/generate", "{'input_ids': [1, 2, 3], 'rid': 'r1', 'sampling_params': {'max_new_tokens': 2}}"));
        assertThat(reply.get("text").asText()).isEqualTo(" w1 w2");
        assertThat(reply.get("output_ids").toString()).isEqualTo("[1,2]");
        JsonNode meta = reply.get("meta_info");
        assertThat(meta.get("id").asText()).isEqualTo("r1");
        assertThat(meta.get("finish_reason").toString()).isEqualTo("{\"type\":\"length\",\"length\":2}");
        assertThat(meta.get("prompt_tokens").asInt()).isEqualTo(3);
        assertThat(meta.get("cached_tokens").asInt()).isEqualTo(2);
        assertThat(meta.get("dp_rank").asInt()).isEqualTo(1);
        assertThat(meta.get("e2e_latency").asDouble()).isPositive();
    }

    @Test
    void shouldStreamEverythingSoFar() throws Exception {
        List<JsonNode> events =
                events(post("/generate", "{'text': 'x', 'stream': true, 'sampling_params': {'max_new_tokens': 3}}"));
        // Outputs that arrive together share an event.
        assertThat(events).hasSizeBetween(1, 3);
        JsonNode last = events.get(events.size() - 1);
        for (JsonNode event : events) {
            assertThat(" w1 w2 w3").startsWith(event.get("text").asText());
            assertThat(event.get("meta_info").get("finish_reason").isNull()).isEqualTo(event != last);
        }
        assertThat(last.get("text").asText()).isEqualTo(" w1 w2 w3");
        assertThat(last.get("output_ids").toString()).isEqualTo("[1,2,3]");
        assertThat(last.get("meta_info").get("finish_reason").get("type").asText())
                .isEqualTo("length");
    }

    @Test
    void shouldAnswerBatchesAsLists() throws Exception {
        JsonNode list =
                json(post("/generate", "{'text': ['a', 'b'], 'rid': 'b', 'sampling_params': {'max_new_tokens': 1}}"));
        assertThat(list).hasSize(2);
        assertThat(list.get(1).get("meta_info").get("id").asText()).isEqualTo("b_1");
        List<JsonNode> events = events(post(
                "/generate", "{'text': ['a', 'b'], 'stream': true, 'sampling_params': {'max_new_tokens': 1, 'n': 2}}"));
        assertThat(events).extracting(e -> e.get("index").asInt()).containsExactlyInAnyOrder(0, 1, 2, 3);
    }

    private static double sum(JsonNode stages) {
        assertThat(stages).hasSize(8);
        double sum = 0;
        for (JsonNode seconds : stages) {
            assertThat(seconds.asDouble()).isNotNegative();
            sum += seconds.asDouble();
        }
        return sum;
    }

    @Test
    void shouldSayWhereTheTimeWent() throws Exception {
        JsonNode meta = json(post("/generate", "{'input_ids': [1], 'sampling_params': {'max_new_tokens': 3}}"))
                .get("meta_info");
        assertThat(sum(meta.get("stages"))).isCloseTo(meta.get("e2e_latency").asDouble(), within(1e-6));
        double received = meta.get("request_received_ts").asDouble();
        assertThat(meta.get("response_sent_to_client_ts").asDouble() - received)
                .isCloseTo(meta.get("e2e_latency").asDouble(), within(1e-3));
        assertThat(meta.get("forward_entry_time").asDouble())
                .isBetween(received, meta.get("prefill_finished_time").asDouble());
        assertThat(meta.get("queue_time").asDouble())
                .isEqualTo(meta.get("stages").get("queue").asDouble());

        String body = "{'prompt': 'x', 'max_tokens': 2, 'n': 2, 'return_stages': true}";
        JsonNode two = json(post("/v1/completions", body)).get("sglext").get("stages");
        assertThat(two).hasSize(2);
        two.forEach(HttpApiTest::sum);
        assertThat(json(post("/v1/completions", "{'prompt': 'x', 'max_tokens': 2}"))
                        .has("sglext"))
                .isFalse();
        String events = post(
                        "/v1/chat/completions",
                        "{'messages': [{'role': 'user', 'content': 'x'}], 'max_tokens': 3, 'stream': true,"
                                + " 'return_stages': true}")
                .body();
        List<String> withStages =
                events.lines().filter(line -> line.contains("sglext")).toList();
        assertThat(withStages).hasSize(1);
        JsonNode last = JSON.readTree(withStages.get(0).substring("data: ".length()));
        assertThat(last.get("choices").get(0).get("finish_reason").asText()).isEqualTo("length");
        sum(last.get("sglext").get("stages").get(0));
    }

    @Test
    void shouldDescribeTheModel() throws Exception {
        JsonNode info = json(get("/model_info"));
        String expected =
                "{'model_path': 'simulated', 'served_model_name': 'simulated', 'tokenizer_path': 'cl100k_base',"
                        + " 'is_generation': true, 'preferred_sampling_params': null, 'weight_version': 'default',"
                        + " 'load_format': 'simulated', 'has_image_understanding': false, 'has_audio_understanding': false,"
                        + " 'model_type': 'simulated', 'architectures': ['SimulatedEngine']}";
        assertThat(info).isEqualTo(JSON.readTree(expected.replace('\'', '"')));
        assertThat(json(get("/get_model_info"))).isEqualTo(info);
    }

    @Test
    void shouldFindRequestsByTheirRid() throws Exception {
        post("/generate", "{'input_ids': [1], 'rid': 'a b/c', 'sampling_params': {'max_new_tokens': 3}}");
        JsonNode found = json(get("/requests/a%20b%2Fc"));
        assertThat(found.get("rid").asText()).isEqualTo("a b/c");
        assertThat(found.get("truncated").booleanValue()).isFalse();
        JsonNode sequence = found.get("sequences").get(0);
        assertThat(sequence.get("outcome").asText()).isEqualTo("length");
        assertThat(sequence.get("completion_tokens").asInt()).isEqualTo(3);
        sum(sequence.get("stages"));

        JsonNode decided = json(get("/requests/decided%20only"));
        assertThat(decided.get("sequences")).isEmpty();
        assertThat(decided.get("decisions").get(0).toString())
                .isEqualTo("{\"dp_rank\":1,\"sequence\":4,\"attempt\":1}");

        HttpResponse<String> never = get("/requests/never");
        assertThat(never.statusCode()).isEqualTo(404);
        assertThat(json(never).get("error").get("message").asText()).contains("among the last 10000");
        assertThat(get("/requests/").statusCode()).isEqualTo(400);
    }

    @Test
    void shouldSpeakOpenAi() throws Exception {
        JsonNode completion = json(post("/v1/completions", "{'prompt': 'x', 'max_tokens': 2, 'n': 2}"));
        assertThat(completion.get("object").asText()).isEqualTo("text_completion");
        assertThat(completion.get("choices")).hasSize(2);
        assertThat(completion.get("choices").get(1).get("text").asText()).isEqualTo(" w1 w2");
        assertThat(completion.get("usage").get("prompt_tokens").asInt()).isEqualTo(1);
        assertThat(completion.get("usage").get("completion_tokens").asInt()).isEqualTo(4);
        List<JsonNode> chunks = events(post(
                "/v1/chat/completions",
                "{'messages': [{'role': 'user', 'content': 'x'}], 'max_tokens': 2, 'stream': true,"
                        + " 'stream_options': {'include_usage': true}}"));
        assertThat(chunks.get(0).get("choices").get(0).get("delta").get("role").asText())
                .isEqualTo("assistant");
        JsonNode usage = chunks.get(chunks.size() - 1);
        JsonNode last = chunks.get(chunks.size() - 2);
        StringBuilder content = new StringBuilder();
        for (JsonNode chunk : chunks.subList(1, chunks.size() - 1)) {
            JsonNode choice = chunk.get("choices").get(0);
            content.append(choice.get("delta").path("content").asText());
            assertThat(choice.get("finish_reason").isNull()).isEqualTo(chunk != last);
        }
        assertThat(content).hasToString(" w1 w2");
        assertThat(last.get("choices").get(0).get("finish_reason").asText()).isEqualTo("length");
        assertThat(usage.get("choices")).isEmpty();
        assertThat(usage.get("usage").get("completion_tokens").asInt()).isEqualTo(2);
        assertThat(json(get("/v1/models")).get("data").get(0).get("id").asText())
                .isEqualTo("simulated");
    }

    @Test
    void shouldTellErrorsAsEachApiDoes() throws Exception {
        HttpResponse<String> native400 = post("/generate", "{'text': 'x', 'routed_dp_rank': 7}");
        assertThat(native400.statusCode()).isEqualTo(400);
        assertThat(json(native400).get("error").get("message").asText()).contains("routed_dp_rank");
        HttpResponse<String> openAi400 = post("/v1/completions", "{'prompt': 'x', 'top_p': 9}");
        assertThat(openAi400.statusCode()).isEqualTo(400);
        assertThat(json(openAi400).get("object").asText()).isEqualTo("error");
        assertThat(json(openAi400).get("param").asText()).isEqualTo("top_p");
        assertThat(post("/generate", "{'text': ").statusCode()).isEqualTo(400);
        assertThat(post("/generate", "[".repeat(5000)).statusCode()).isEqualTo(400);
        assertThat(get("/nowhere").statusCode()).isEqualTo(404);
        assertThat(get("/v1/nowhere").body()).contains("NotFoundError");
        assertThat(get("/generate").statusCode()).isEqualTo(405);
        assertThat(post("/generate", "{'text': '" + "x ".repeat(300_000) + "'}").statusCode())
                .isEqualTo(413);
    }

    @Test
    void shouldAnswerAPathThatCannotBeDecoded() throws Exception {
        for (String path : List.of("/v1/loads?%zz", "/requests/%zz")) {
            try (Socket socket = connect()) {
                write(socket, "GET " + path, "");
                BufferedReader reply =
                        new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
                assertThat(reply.readLine()).isEqualTo("HTTP/1.1 400 Bad Request");
            }
        }
    }

    @Test
    void shouldReadLongBodiesAside() throws Exception {
        String ids = "1,".repeat(30_000) + "1";
        JsonNode reply =
                json(post("/generate", "{'input_ids': [" + ids + "], 'sampling_params': {'max_new_tokens': 1}}"));
        assertThat(reply.get("meta_info").get("prompt_tokens").asInt()).isEqualTo(30_001);
        assertThat(post("/generate", "{'input_ids': [" + ids + ", 'x']}").statusCode())
                .isEqualTo(400);
    }

    @Test
    void shouldAbortWhenAClientLeavesAndNoticeItWhileNothingIsSent() throws Exception {
        try (Socket socket = request("{\"text\": \"x\", \"rid\": \"hold-left\", \"stream\": true}")) {
            await(() -> wireRid("hold-left") != null);
        }
        String rid = wireRid("hold-left");
        await(() ->
                backend.received(AbortReq.class).stream().anyMatch(a -> a.rid().equals(rid)));
        await(() -> backend.received(EndNotice.class).stream()
                .anyMatch(n -> List.of(n.rids()).contains(rid)));
    }

    private static String wireRid(String userRid) {
        return backend.received(TokenizedGenerateReqInput.class).stream()
                .map(TokenizedGenerateReqInput::rid)
                .filter(rid -> rid.startsWith(userRid + "\u001f"))
                .findFirst()
                .orElse(null);
    }

    private static Socket connect() throws Exception {
        Socket socket = new Socket(base.getHost(), base.getPort());
        socket.setSoTimeout((int) (PATIENCE_NS / 1_000_000));
        return socket;
    }

    private static Socket request(String body) throws Exception {
        Socket socket = connect();
        write(socket, "POST /generate", body);
        return socket;
    }

    private static void write(Socket socket, String line, String body) throws Exception {
        socket.getOutputStream()
                .write((line + " HTTP/1.1\r\nHost: h\r\nContent-Length: " + body.length() + "\r\n\r\n" + body)
                        .getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void shouldEndTheRequestsOfADeadRank() throws Exception {
        try (Socket socket = request("{\"text\": \"x\", \"rid\": \"hold-dead\"}")) {
            await(() -> wireRid("hold-dead") != null);
            backend.send(new RankDown(9, 1, "no heartbeat", new String[] {wireRid("hold-dead")}));
            BufferedReader reply =
                    new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
            assertThat(reply.readLine()).isEqualTo("HTTP/1.1 503 Service Unavailable");
            List<String> lines = new ArrayList<>();
            for (String line = reply.readLine(); !line.isEmpty(); line = reply.readLine()) {
                lines.add(line.toLowerCase(java.util.Locale.ROOT));
            }
            assertThat(lines).contains("retry-after: 1");
            char[] body = new char[50];
            assertThat(reply.read(body)).isPositive();
            assertThat(new String(body)).contains("DP rank 9 is down");
        }
    }

    @Test
    void shouldAnswerPipelinedRequestsInOrder() throws Exception {
        try (Socket socket = connect()) {
            for (int i = 0; i < 20; i++) {
                write(
                        socket,
                        "POST /generate",
                        "{\"text\": \"x\", \"rid\": \"p" + i + "\", \"sampling_params\": {\"max_new_tokens\": 1}}");
            }
            BufferedReader replies =
                    new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
            StringBuilder all = new StringBuilder();
            while (!all.toString().contains("\"id\":\"p19\"")) {
                all.append((char) replies.read());
            }
            int at = 0;
            for (int i = 0; i < 20; i++) {
                int next = all.indexOf("\"id\":\"p" + i + "\"");
                assertThat(next).isGreaterThan(at);
                at = next;
            }
        }
    }

    @Test
    void shouldGiveHeadNoBody() throws Exception {
        try (Socket socket = connect()) {
            write(socket, "HEAD /health", "");
            write(socket, "GET /v1/models", "");
            BufferedReader replies =
                    new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
            List<String> lines = new ArrayList<>();
            while (lines.stream().filter(l -> l.startsWith("HTTP/1.1 200")).count() < 2) {
                lines.add(replies.readLine());
            }
            assertThat(lines).noneMatch(line -> line.contains("healthy"));
        }
    }

    @Test
    void shouldShowLoadsMetricsAndProcesses() throws Exception {
        JsonNode loads = json(get("/v1/loads"));
        assertThat(loads.get("loads")).hasSize(2);
        assertThat(loads.get("loads").get(1).get("num_running_reqs").asInt()).isEqualTo(4);
        assertThat(loads.get("aggregate").get("total_reqs").asInt()).isEqualTo(12);
        assertThat(loads.get("rank_states").toString()).isEqualTo("{\"0\":\"up\",\"1\":\"up\"}");
        assertThat(json(get("/v1/loads?dp_rank=1")).get("loads")).hasSize(1);
        assertThat(get("/v1/loads?dp_rank=2").statusCode()).isEqualTo(400);
        assertThat(get("/v1/loads?format=prometheus").body()).contains("sglang_num_running_reqs{dp_rank=\"0\"} 4");
        JsonNode old = json(get("/get_load"));
        assertThat(old.get(0).get("num_pending_tokens").asInt()).isEqualTo(200);
        String metrics = get("/metrics").body();
        assertThat(metrics)
                .contains(
                        "sglang:num_queue_reqs{model_name=\"simulated\",engine_type=\"unified\",tp_rank=\"0\",pp_rank=\"0\","
                                + "moe_ep_rank=\"0\",dp_rank=\"1\"} 2")
                .contains("dpserve_events_total{role=\"controller\",index=\"0\",event=\"requests\"} 4");
        JsonNode info = json(get("/server_info"));
        assertThat(info.get("dp_size").asInt()).isEqualTo(2);
        assertThat(info.get("processes").get(0).get("role").asText()).isEqualTo("tokenizer");
        assertThat(info.get("unanswered").toString()).contains("detokenizer 0").contains("rank 0");
    }

    @Test
    void shouldSayHelloInItsStreamAgainAndAgain() {
        // Not only at first: a message on a connection that has just been made may be lost.
        await(() -> backend.received(Hello.class).size() >= 3);
        assertThat(backend.received(Hello.class)).extracting(Hello::index).containsOnly(0);
    }

    @Test
    void shouldProbeEveryRank() throws Exception {
        HttpResponse<String> response = get("/health_generate");
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(backend.received(TokenizedGenerateReqInput.class).stream()
                        .filter(r -> TokenizedGenerateReqInput.isHealthCheck(r.rid()))
                        .map(TokenizedGenerateReqInput::routedDpRank))
                .contains(0, 1);
    }

    @Test
    void shouldCutAClientThatDoesNotReadAbortItsRequestAndServeOthers() throws Exception {
        String body = "{\"rid\": \"hold-unread\", \"input_ids\": [1, 2, 3], \"stream\": true,"
                + " \"sampling_params\": {\"max_new_tokens\": 30000}}";
        try (Socket client = new Socket()) {
            client.setReceiveBufferSize(4096);
            client.connect(new InetSocketAddress(base.getHost(), base.getPort()));
            client.getOutputStream()
                    .write(("POST /generate HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: "
                                    + body.length() + "\r\n\r\n" + body)
                            .getBytes(StandardCharsets.US_ASCII));
            await(() -> wireRid("hold-unread") != null);
            String rid = wireRid("hold-unread");
            // Each event repeats all text and ids so far; how many outputs share one depends on how busy the machine
            // is.
            BooleanSupplier aborted = () -> backend.received(AbortReq.class).stream()
                    .anyMatch(a -> a.rid().equals(rid));
            long deadline = System.nanoTime() + UNREAD_PATIENCE_NS;
            for (int i = 1; !aborted.getAsBoolean(); i++) {
                assertThat(System.nanoTime()).as("patience").isLessThan(deadline);
                backend.send(FakeBackend.output(rid, i, null));
                if (i % 2 == 0) {
                    get("/health");
                }
            }
            assertThat(post("/generate", "{'input_ids': [1], 'sampling_params': {'max_new_tokens': 2}}")
                            .statusCode())
                    .isEqualTo(200);
        }
    }
}
