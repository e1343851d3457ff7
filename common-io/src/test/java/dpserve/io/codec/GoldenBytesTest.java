package dpserve.io.codec;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.io.message.AbortReq;
import dpserve.io.message.BatchStrOutput;
import dpserve.io.message.BatchTokenIDOutput;
import dpserve.io.message.BatchTokenizedGenerateReqInput;
import dpserve.io.message.FinishReason;
import dpserve.io.message.FlushCacheReqInput;
import dpserve.io.message.FlushCacheReqOutput;
import dpserve.io.message.GetInternalStateReq;
import dpserve.io.message.GetInternalStateReqOutput;
import dpserve.io.message.GetLoadReqInput;
import dpserve.io.message.GetLoadReqOutput;
import dpserve.io.message.HealthCheckOutput;
import dpserve.io.message.Message;
import dpserve.io.message.SamplingParams;
import dpserve.io.message.ShutdownReq;
import dpserve.io.message.TokenizedGenerateReqInput;
import dpserve.io.message.WatchLoadUpdateReq;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The bytes of the released package (scripts/dev/wire-layout.sh --golden) against this codec, in both directions. The
 * messages are those of wire_layout.py.
 */
class GoldenBytesTest {
    private static final Map<String, Message> MESSAGES = messages();

    /** One line of the golden file. */
    record Golden(String name, String form, byte[] bytes) {
        @Override
        public String toString() {
            return name + " " + form;
        }
    }

    static Stream<Golden> golden() throws IOException {
        try (InputStream in = GoldenBytesTest.class.getResourceAsStream("/golden/messages.txt")) {
            return new String(in.readAllBytes(), StandardCharsets.US_ASCII)
                    .lines()
                    .map(line -> line.split(" "))
                    .map(parts -> new Golden(parts[0], parts[1], HexFormat.of().parseHex(parts[2])));
        }
    }

    static Stream<Golden> tupleForms() throws IOException {
        return golden().filter(g -> g.form().equals("tuple"));
    }

    @ParameterizedTest
    @MethodSource("golden")
    void shouldReadWhatSglangWrites(Golden golden) throws Exception {
        Message read = new MessageCodec(IntArrayForm.INT32).decode(golden.bytes());
        assertThat(read).usingRecursiveComparison().isEqualTo(MESSAGES.get(golden.name()));
    }

    @ParameterizedTest
    @MethodSource("tupleForms")
    void shouldWriteWhatSglangReads(Golden golden) {
        byte[] written = new MessageCodec(IntArrayForm.INT64).encode(MESSAGES.get(golden.name()));
        if (golden.name().equals("TokenizedGenerateReqInput")) {
            // One element more than the release has: the extension with the dispatch time, which SGLang passes over.
            written = withoutExtension(written);
        } else if (golden.name().equals("BatchTokenizedGenerateReqInput")) {
            byte[] item = Arrays.copyOfRange(written, golden.bytes().length - itemLength(), written.length);
            written = concat(Arrays.copyOf(written, golden.bytes().length - itemLength()), withoutExtension(item));
        }
        assertThat(HexFormat.of().formatHex(written)).isEqualTo(HexFormat.of().formatHex(golden.bytes()));
    }

    private static int itemLength() {
        return withoutExtension(new MessageCodec(IntArrayForm.INT64).encode(request())).length;
    }

    /** The request with the release's own number of elements: array16 header one less, extension cut off. */
    private static byte[] withoutExtension(byte[] request) {
        byte[] extension =
                HexFormat.of().parseHex("92" + "aa44707365727665457874" + "81" + "05" + "cb0000000000000000");
        int cut = request.length - extension.length;
        assertThat(Arrays.copyOfRange(request, cut, request.length)).isEqualTo(extension);
        byte[] shorter = Arrays.copyOf(request, cut);
        shorter[2]--;
        return shorter;
    }

    private static byte[] concat(byte[] a, byte[] b) {
        byte[] both = Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, both, a.length, b.length);
        return both;
    }

    @Test
    void shouldCoverEveryMessage() throws Exception {
        List<String> names = golden().map(Golden::name).distinct().toList();
        assertThat(names).containsExactlyInAnyOrderElementsOf(MESSAGES.keySet());
    }

    private static TokenizedGenerateReqInput request() {
        return (TokenizedGenerateReqInput) MESSAGES.get("TokenizedGenerateReqInput");
    }

    private static Map<String, Message> messages() {
        SamplingParams params = new SamplingParams(
                8,
                new int[] {7},
                0.5,
                0.9,
                40,
                0,
                0,
                0,
                1,
                3,
                1,
                true,
                true,
                true,
                false,
                4,
                null,
                99L,
                List.of("\n\n", "é"),
                2);
        TokenizedGenerateReqInput request = new TokenizedGenerateReqInput(
                "r1",
                "tcp://127.0.0.1:30234",
                "hi",
                new int[] {1, 2, 100000},
                params,
                false,
                -1,
                0,
                true,
                "h",
                8998,
                1L << 40,
                3,
                1,
                "k",
                2,
                "x",
                0,
                0);
        FinishReason aborted = new FinishReason.Abort("Aborted", null, null);
        FinishReason[] reasons = {null, new FinishReason.Length(8), new FinishReason.StopToken(100257), aborted};
        int n = reasons.length;
        String[] rids = {"r0", "r1", "r2", "r3"};
        String[] ipcs = filled(new String[n], "tcp://127.0.0.1:1");
        int[][] lists = {{9, 300}, {9, 301}, {9, 302}, {9, 303}};
        Integer[] ranks = filled(new Integer[n], 2);
        int[] retractions = {0, 1, 0, 0};
        GetLoadReqOutput load = GetLoadReqOutput.legacy(2, 25, 1, 17075, 1.5);
        Map<String, Object> state = new LinkedHashMap<>();
        state.put("a", 1L);
        state.put("b", Arrays.asList(1.5, null, true));

        Map<String, Message> messages = new LinkedHashMap<>();
        messages.put("TokenizedGenerateReqInput", request);
        messages.put(
                "BatchTokenizedGenerateReqInput", new BatchTokenizedGenerateReqInput(null, null, List.of(request)));
        messages.put(
                "BatchTokenIDOutput",
                new BatchTokenIDOutput(
                        rids,
                        ipcs,
                        reasons,
                        filled(new String[n], ""),
                        lists,
                        ints(n, 1),
                        lists,
                        bools(n, true),
                        bools(n, true),
                        bools(n, false),
                        ints(n, 3),
                        ints(n, 0),
                        ints(n, 2),
                        ints(n, 1),
                        retractions,
                        ranks,
                        null));
        messages.put(
                "BatchStrOutput",
                new BatchStrOutput(
                        rids,
                        ipcs,
                        reasons,
                        new String[] {"a", "é", "你", "🙂"},
                        lists,
                        ints(n, 3),
                        ints(n, 2),
                        ints(n, 0),
                        ints(n, 1),
                        retractions,
                        ranks,
                        null));
        messages.put("AbortReq", AbortReq.of("r1", null));
        messages.put("AbortReq.all", new AbortReq("", null, true, null, null));
        messages.put("AbortReq.answer", new AbortReq("r1", null, false, aborted, "Abort in waiting queue"));
        messages.put("HealthCheckOutput", new HealthCheckOutput("HEALTH_CHECK_1", null));
        messages.put("FlushCacheReqInput", new FlushCacheReqInput(null, null, 0.5));
        messages.put("FlushCacheReqOutput", new FlushCacheReqOutput(null, null, true, "m", null));
        messages.put("GetInternalStateReq", new GetInternalStateReq(null, null));
        messages.put("GetInternalStateReqOutput", new GetInternalStateReqOutput(null, null, state));
        messages.put("ShutdownReq", new ShutdownReq(null, null));
        messages.put("GetLoadReqInput", new GetLoadReqInput(null, null));
        messages.put("GetLoadReqOutput", load);
        messages.put("WatchLoadUpdateReq", new WatchLoadUpdateReq(null, null, List.of(load)));
        return messages;
    }

    private static <T> T[] filled(T[] array, T value) {
        Arrays.fill(array, value);
        return array;
    }

    private static int[] ints(int n, int value) {
        int[] array = new int[n];
        Arrays.fill(array, value);
        return array;
    }

    private static boolean[] bools(int n, boolean value) {
        boolean[] array = new boolean[n];
        Arrays.fill(array, value);
        return array;
    }
}
