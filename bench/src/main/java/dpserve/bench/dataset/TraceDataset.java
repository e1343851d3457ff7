package dpserve.bench.dataset;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.LocalDateTime;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/** Traces of real traffic: arrival times and lengths, no text. Prompts are drawn from the vocabulary. */
final class TraceDataset {
    /** Tokens that one entry of Mooncake's hash_ids stands for. */
    static final int BLOCK_TOKENS = 512;

    /** Upstream's output length where a Mooncake row has none. */
    private static final int DEFAULT_OUTPUT_LENGTH = 256;

    private static final int BLOCK = 31;
    private static final int REST = 32;
    private static final int ROW = 33;
    private static final ObjectMapper JSON = new ObjectMapper();

    private TraceDataset() {}

    /**
     * Mooncake's JSON lines: timestamp (ms), input_length, output_length, hash_ids. A block's tokens depend on its hash id
     * and the seed alone, so prompts share exactly the prefix that their hash_ids share.
     */
    static List<DatasetRow> mooncake(String path, int limit, long seed) throws IOException {
        return read(path, limit, false, (line, number) -> {
            JsonNode row;
            try {
                row = JSON.readTree(line);
            } catch (JsonProcessingException e) {
                throw new IllegalArgumentException("not JSON: " + e.getOriginalMessage());
            }
            if (!row.path("timestamp").isNumber() || !row.path("input_length").isNumber()) {
                throw new IllegalArgumentException("timestamp and input_length must be numbers");
            }
            int inputLen = Math.max(1, row.path("input_length").asInt());
            int outputLen = Math.max(1, row.path("output_length").asInt(DEFAULT_OUTPUT_LENGTH));
            List<TokenRun> runs = new ArrayList<>();
            int left = inputLen;
            for (JsonNode hash : row.path("hash_ids")) {
                int length = Math.min(left, BLOCK_TOKENS);
                if (length > 0) {
                    runs.add(new TokenRun.Words(Seeds.mix(seed, BLOCK, hash.asLong()), length));
                }
                left -= length;
            }
            if (left > 0) {
                runs.add(new TokenRun.Words(Seeds.mix(seed, REST, number), left));
            }
            return new DatasetRow(
                    new Prompt.Tokens(runs),
                    inputLen,
                    outputLen,
                    row.path("timestamp").asDouble(),
                    null);
        });
    }

    /** The Azure LLM inference trace's CSV: TIMESTAMP, ContextTokens, GeneratedTokens. Every prompt is unlike the others. */
    static List<DatasetRow> azure(String path, int limit, long seed) throws IOException {
        return read(path, limit, true, (line, number) -> {
            String[] cells = line.split(",");
            if (cells.length < 3) {
                throw new IllegalArgumentException("three columns expected");
            }
            int inputLen = Math.max(1, Integer.parseInt(cells[1].trim()));
            int outputLen = Math.max(1, Integer.parseInt(cells[2].trim()));
            TokenRun run = new TokenRun.Words(Seeds.mix(seed, ROW, number), inputLen);
            return new DatasetRow(new Prompt.Tokens(run), inputLen, outputLen, epochMs(cells[0].trim()), null);
        });
    }

    /** "2023-11-16 18:17:03.9799600", with or without an offset behind it (newer traces are UTC throughout). */
    private static double epochMs(String time) {
        int offset = time.indexOf('+');
        String local = offset < 0 ? time : time.substring(0, offset);
        LocalDateTime t = LocalDateTime.parse(local.replace(' ', 'T'));
        return ChronoUnit.MICROS.between(LocalDateTime.of(1970, 1, 1, 0, 0), t) / 1e3;
    }

    private interface RowReader {
        DatasetRow read(String line, int number);
    }

    private static List<DatasetRow> read(String path, int limit, boolean header, RowReader reader) throws IOException {
        Path file = Path.of(path);
        if (!Files.isRegularFile(file)) {
            throw new IllegalArgumentException("--dataset-path " + path + ": no such file");
        }
        List<DatasetRow> rows = new ArrayList<>();
        try (BufferedReader in = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
            int number = 0;
            for (String line = in.readLine(); line != null && rows.size() < limit; line = in.readLine()) {
                number++;
                if (line.isBlank()) {
                    continue;
                }
                if (header && number == 1) {
                    requireAzureHeader(path, line);
                    continue;
                }
                try {
                    rows.add(reader.read(line, number));
                } catch (IllegalArgumentException | DateTimeException e) {
                    throw new IllegalArgumentException(
                            "--dataset-path " + path + ", line " + number + ": " + e.getMessage());
                }
            }
        }
        rows.sort(Comparator.comparingDouble(DatasetRow::timestampMs));
        return rows;
    }

    private static void requireAzureHeader(String path, String line) {
        List<String> columns =
                Arrays.stream(line.split(",")).map(String::trim).limit(3).toList();
        if (!columns.equals(List.of("TIMESTAMP", "ContextTokens", "GeneratedTokens"))) {
            throw new IllegalArgumentException(
                    "--dataset-path " + path + ": the first line must be TIMESTAMP,ContextTokens,GeneratedTokens");
        }
    }
}
