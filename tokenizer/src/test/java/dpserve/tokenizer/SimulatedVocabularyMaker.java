package dpserve.tokenizer;

import dpserve.io.model.Vocabulary;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Makes the table of the simulated model from a real vocabulary and the list of texts it may say. Deterministic: the
 * same vocabulary and list give the same bytes. Run it with scripts/dev/make-simulated-vocabulary.sh.
 */
public final class SimulatedVocabularyMaker {
    private static final String TEXTS = "simulated-texts.txt";
    private static final String HEAD = """
            # Tokens of the simulated model: id, weight (0: only inside a chain), bytes in hex, ids that must follow.
            # Made by scripts/dev/make-simulated-vocabulary.sh; do not edit.
            """;

    private final Vocabulary vocabulary;
    private final Map<Integer, Integer> weights = new TreeMap<>();
    private final Map<Integer, TreeSet<Integer>> followers = new TreeMap<>();
    private final Set<String> seen = new HashSet<>();
    private final TreeSet<Integer> lastOfChains = new TreeSet<>();

    private SimulatedVocabularyMaker(Vocabulary vocabulary) {
        this.vocabulary = vocabulary;
    }

    public static void main(String[] args) throws IOException {
        Files.writeString(Path.of(args[0]), make(new JtokkitVocabulary()));
    }

    static String make(Vocabulary vocabulary) {
        SimulatedVocabularyMaker maker = new SimulatedVocabularyMaker(vocabulary);
        maker.readTexts();
        return maker.table();
    }

    private void readTexts() {
        int weight = 0;
        for (String line : texts().split("\n")) {
            if (line.startsWith("#")) {
                continue;
            }
            for (String word : line.split(" ")) {
                if (word.startsWith("[")) {
                    weight = Integer.parseInt(word.substring(1, word.length() - 1));
                } else if (!word.isEmpty()) {
                    add(word.replace('_', ' '), weight);
                }
            }
        }
        for (int last : lastOfChains) {
            if (followers.containsKey(last)) {
                throw new IllegalStateException("token " + last + " ends one chain and must be followed in another");
            }
        }
    }

    /** A text listed twice counts once, with the weight it has first. */
    private void add(String text, int weight) {
        if (!seen.add(text)) {
            return;
        }
        int[] ids = vocabulary.encode(text);
        if (ids.length == 2 && !isWhole(ids[0])) {
            followers.computeIfAbsent(ids[0], id -> new TreeSet<>()).add(ids[1]);
            weights.putIfAbsent(ids[1], 0);
            lastOfChains.add(ids[1]);
        } else if (ids.length > 1) {
            // In a longer chain a token without a character's first byte would have to be followed; a prompt may end
            // with that very token, as the last of another character, and the output would begin with half a one.
            throw new IllegalStateException("'" + text + "' is not one token, and not one character in two");
        }
        weights.merge(ids[0], weight, Integer::sum);
    }

    private boolean isWhole(int id) {
        byte[] bytes = vocabulary.tokenBytes(id);
        return Arrays.equals(bytes, new String(bytes, StandardCharsets.UTF_8).getBytes(StandardCharsets.UTF_8));
    }

    private String table() {
        StringBuilder table = new StringBuilder(HEAD);
        weights.forEach((id, weight) -> {
            table.append(id)
                    .append(' ')
                    .append(weight)
                    .append(' ')
                    .append(HexFormat.of().formatHex(vocabulary.tokenBytes(id)));
            followers
                    .getOrDefault(id, new TreeSet<>())
                    .forEach(next -> table.append(' ').append(next));
            table.append('\n');
        });
        return table.toString();
    }

    private static String texts() {
        try (InputStream in = SimulatedVocabularyMaker.class.getResourceAsStream(TEXTS)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
