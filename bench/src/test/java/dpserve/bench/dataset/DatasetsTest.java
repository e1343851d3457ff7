package dpserve.bench.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dpserve.bench.BenchConfig;
import dpserve.tokenizer.JtokkitVocabulary;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DatasetsTest {
    private static final PromptTokens TOKENS = new PromptTokens(new JtokkitVocabulary());

    private static List<DatasetRow> load(long seed, String... flags) throws IOException {
        DatasetOptions options = BenchConfig.parse(flags).dataset;
        return Datasets.load(options, TOKENS, seed);
    }

    private static String resource(String name) {
        return Path.of("src/test/resources/dpserve/bench/dataset", name).toString();
    }

    private static int[] ids(DatasetRow row) {
        return TOKENS.ids((Prompt.Tokens) row.prompt());
    }

    private static List<String> contents(List<DatasetRow> rows) {
        return rows.stream()
                .map(r -> Arrays.hashCode(ids(r)) + " " + r.outputLen() + " " + r.routingKey())
                .toList();
    }

    private static int commonPrefix(int[] a, int[] b) {
        int at = Arrays.mismatch(a, b);
        return at < 0 ? a.length : at;
    }

    @Test
    void shouldDrawRandomLengthsByUpstreamsRule() throws IOException {
        List<DatasetRow> rows = load(
                1,
                "--dataset-name=random",
                "--num-prompts=2000",
                "--random-input-len=10",
                "--random-output-len=7",
                "--random-range-ratio=0.5");

        assertThat(rows).extracting(DatasetRow::promptLen).contains(5, 10).allMatch(n -> n >= 5 && n <= 10);
        assertThat(rows).extracting(DatasetRow::outputLen).contains(3, 7).allMatch(n -> n >= 3 && n <= 7);
        assertThat(rows).allMatch(r -> ids(r).length == r.promptLen());
    }

    @Test
    void shouldHaveEqualLengthsAtRatioOne() throws IOException {
        assertThat(load(1, "--dataset-name=random", "--num-prompts=50", "--random-range-ratio=1"))
                .allMatch(r -> r.promptLen() == 1024 && r.outputLen() == 1024);
    }

    @Test
    void shouldMakePromptsWhoseTextIsSplitIntoTheirVeryTokens() throws IOException {
        for (DatasetRow row : load(3, "--dataset-name=random", "--num-prompts=20", "--random-input-len=500")) {
            assertThat(TOKENS.encode(TOKENS.text(ids(row)))).isEqualTo(ids(row));
        }
    }

    @Test
    void shouldDependOnTheSeedAlone() throws IOException {
        for (String name : List.of("random", "random-ids", "generated-shared-prefix")) {
            String[] flags = {"--dataset-name=" + name, "--num-prompts=30", "--gsp-num-groups=4"};

            assertThat(contents(load(5, flags)))
                    .isEqualTo(contents(load(5, flags)))
                    .isNotEqualTo(contents(load(6, flags)));
        }
    }

    @Test
    void shouldCountIdsUpwardsWithinTheOrdinaryTokens() throws IOException {
        for (DatasetRow row : load(2, "--dataset-name=random-ids", "--num-prompts=20", "--random-range-ratio=1")) {
            int[] ids = ids(row);
            for (int i = 1; i < ids.length; i++) {
                assertThat(ids[i]).isEqualTo((ids[i - 1] + 1) % TOKENS.ordinary());
            }
        }
        assertThat(TOKENS.ordinary()).isEqualTo(100_256);
    }

    @Test
    void shouldGiveEveryGroupItsPrefixAndEveryPromptItsQuestion() throws IOException {
        List<DatasetRow> rows = load(
                4,
                "--dataset-name=generated-shared-prefix",
                "--gsp-num-groups=3",
                "--gsp-prompts-per-group=5",
                "--gsp-system-prompt-len=200",
                "--gsp-question-len=20",
                "--gsp-output-len=9",
                "--gsp-send-routing-key");

        assertThat(rows).hasSize(15).allMatch(r -> r.outputLen() == 9 && r.promptLen() == 221);
        Map<String, int[]> firstOfGroup = new HashMap<>();
        for (DatasetRow row : rows) {
            int[] first = firstOfGroup.putIfAbsent(row.routingKey(), ids(row));
            if (first != null) {
                assertThat(commonPrefix(first, ids(row))).isBetween(201, 205);
            }
            assertThat(TOKENS.encode(TOKENS.text(ids(row)))).hasSize(221);
        }
        assertThat(firstOfGroup).hasSize(3);
        List<String> keys = rows.stream().map(DatasetRow::routingKey).toList();
        assertThat(keys).as("shuffled").isNotEqualTo(keys.stream().sorted().toList());
    }

    @Test
    void shouldDrawHotGroupsMoreOftenWithZipf() throws IOException {
        List<DatasetRow> rows = load(
                4,
                "--dataset-name=generated-shared-prefix",
                "--gsp-num-groups=10",
                "--gsp-prompts-per-group=100",
                "--gsp-system-prompt-len=8",
                "--gsp-question-len=2",
                "--gsp-send-routing-key",
                "--gsp-group-distribution=zipf",
                "--gsp-zipf-alpha=1");

        // Weight of the first of ten groups: 1 / (1 + 1/2 + ... + 1/10) = 0.341.
        assertThat(rows.stream().filter(r -> r.routingKey().endsWith("_0")).count())
                .isBetween(290L, 390L);
    }

    @Test
    void shouldMakeConversationsOfSeveralRounds() throws IOException {
        List<DatasetRow> rows = load(
                4,
                "--backend=sglang-oai-chat",
                "--dataset-name=generated-shared-prefix",
                "--gsp-num-groups=2",
                "--gsp-prompts-per-group=2",
                "--gsp-num-turns=3");

        assertThat(rows).hasSize(4).allMatch(r -> r.rounds() == 3);
    }

    @Test
    void shouldShareExactlyThePrefixThatHashIdsShare() throws IOException {
        List<DatasetRow> rows = load(9, "--dataset-name=mooncake", "--dataset-path=" + resource("mooncake.jsonl"));

        assertThat(rows).extracting(DatasetRow::timestampMs).containsExactly(0.0, 1500.0, 3000.0, 4000.0);
        assertThat(rows).extracting(DatasetRow::promptLen).containsExactly(1200, 600, 1100, 100);
        assertThat(rows).extracting(DatasetRow::outputLen).containsExactly(12, 40, 3, 5);
        assertThat(rows).allMatch(r -> ids(r).length == r.promptLen());
        assertThat(commonPrefix(ids(rows.get(0)), ids(rows.get(2)))).isEqualTo(1024);
        assertThat(commonPrefix(ids(rows.get(0)), ids(rows.get(1)))).isZero();
        int[] second = ids(rows.get(1));
        assertThat(Arrays.copyOfRange(second, 512, 600))
                .as("block 8 is the same wherever it stands")
                .isEqualTo(Arrays.copyOfRange(ids(rows.get(0)), 512, 600));
    }

    @Test
    void shouldReadTheAzureTrace() throws IOException {
        List<DatasetRow> rows =
                load(9, "--dataset-name=azure", "--num-prompts=3", "--dataset-path=" + resource("azure.csv"));

        assertThat(rows).extracting(DatasetRow::promptLen).containsExactly(120, 80, 200);
        assertThat(rows).extracting(DatasetRow::outputLen).containsExactly(30, 1, 7);
        assertThat(rows.get(1).timestampMs() - rows.get(0).timestampMs()).isEqualTo(750);
        assertThat(rows.get(2).timestampMs() - rows.get(0).timestampMs()).isEqualTo(3000);
        assertThat(ids(rows.get(0))).hasSize(120);
    }

    @Test
    void shouldTakeOnlyAsManyRowsAsAskedFor() throws IOException {
        assertThat(load(9, "--dataset-name=azure", "--num-prompts=2", "--dataset-path=" + resource("azure.csv")))
                .hasSize(2);
    }

    @Test
    void shouldReadConversationsAndLeaveOutShortOnes() throws IOException {
        List<DatasetRow> share = load(1, "--dataset-name=sharegpt", "--dataset-path=" + resource("sharegpt.json"));
        List<DatasetRow> custom = load(
                1, "--dataset-name=custom", "--sharegpt-output-len=5", "--dataset-path=" + resource("custom.jsonl"));

        assertThat(share)
                .extracting(r -> ((Prompt.Text) r.prompt()).text())
                .containsExactlyInAnyOrder("What is a queue good for?", "How many legs has a spider?");
        assertThat(share).allMatch(r -> r.outputLen() >= 8 && r.outputLen() <= 9);
        assertThat(custom).hasSize(2).allMatch(r -> r.outputLen() == 5);
    }

    @Test
    void shouldPutTheSuffixBehindEveryPrompt() throws IOException {
        List<DatasetRow> rows = load(
                1,
                "--dataset-name=custom",
                "--prompt-suffix= Be brief. ",
                "--dataset-path=" + resource("custom.jsonl"));

        assertThat(rows).allMatch(r -> ((Prompt.Text) r.prompt()).text().endsWith(" Be brief. Assistant:"));
    }

    @Test
    void shouldRepeatShareGptPromptsToTheDrawnLength() throws IOException {
        List<DatasetRow> rows = load(
                1,
                "--dataset-name=random",
                "--random-input-len=40",
                "--random-range-ratio=1",
                "--dataset-path=" + resource("sharegpt.json"));

        assertThat(rows).hasSize(3).allMatch(r -> ids(r).length == 40);
    }

    @Test
    void shouldNameTheFileAndLineThatAreWrong(@TempDir Path dir) throws IOException {
        Path trace =
                Files.writeString(dir.resolve("t.jsonl"), "{\"timestamp\": 0, \"input_length\": 5}\n{\"timestamp\"\n");
        Path table = Files.writeString(dir.resolve("t.csv"), "a,b,c\n");

        assertThatThrownBy(() -> load(1, "--dataset-name=mooncake", "--dataset-path=" + trace))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(trace + ", line 2");
        assertThatThrownBy(() -> load(1, "--dataset-name=azure", "--dataset-path=" + table))
                .hasMessageContaining("TIMESTAMP");
        assertThatThrownBy(() -> load(1, "--dataset-name=azure", "--dataset-path=/none"))
                .hasMessageContaining("no such file");
    }
}
