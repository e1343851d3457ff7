package dpserve.io;

import dpserve.io.model.Vocabulary;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * The token table of {@link SimulatedModel}: a small part of a real vocabulary, so that schedulers need not load all of
 * it. Each line of the resource is an id, its weight, its bytes and the ids of which one must follow it.
 */
final class SimulatedVocabulary {
    private static final String RESOURCE = "simulated-vocabulary.txt";
    private static final byte[] NO_BYTES = {};
    private static final Pattern WORD = Pattern.compile(" [a-z]{2,12}");
    private static final Pattern LETTER = Pattern.compile("[a-z]");

    /** Fewer would hardly make two outputs different. */
    private static final int LEAST_WORDS = 16;

    /** Open addressing: slot of an id, at most half full. Empty slots hold -1, which is never an id. */
    private final int[] keys;

    private final byte[][] bytes;
    private final int[][] following;

    /** Each id as often as it weighs, so that an even draw is a weighted one. */
    private final int[] slots;

    private final int[] ids;

    private SimulatedVocabulary(String[] lines) {
        keys = new int[Integer.highestOneBit(lines.length) << 2];
        Arrays.fill(keys, -1);
        bytes = new byte[keys.length][];
        following = new int[keys.length][];
        ids = new int[lines.length];
        int[] drawn = new int[0];
        for (int i = 0; i < lines.length; i++) {
            String[] parts = lines[i].split(" ");
            int id = Integer.parseInt(parts[0]);
            int at = find(id);
            keys[at] = id;
            bytes[at] = HexFormat.of().parseHex(parts[2]);
            if (parts.length > 3) {
                following[at] = Arrays.stream(parts, 3, parts.length)
                        .mapToInt(Integer::parseInt)
                        .toArray();
            }
            int from = drawn.length;
            drawn = Arrays.copyOf(drawn, from + Integer.parseInt(parts[1]));
            Arrays.fill(drawn, from, drawn.length, id);
            ids[i] = id;
        }
        slots = drawn;
    }

    /**
     * The words of a vocabulary, a space and two or more small letters each, all of the same weight; of a small one its letters.
     *
     * @throws IllegalArgumentException if it holds neither
     */
    static SimulatedVocabulary of(Vocabulary vocabulary) {
        for (Pattern kind : List.of(WORD, LETTER)) {
            String[] lines = IntStream.range(0, vocabulary.size())
                    .filter(id -> !vocabulary.isSpecial(id)
                            && kind.matcher(new String(vocabulary.tokenBytes(id), StandardCharsets.ISO_8859_1))
                                    .matches())
                    .mapToObj(id -> id + " 1 " + HexFormat.of().formatHex(vocabulary.tokenBytes(id)))
                    .toArray(String[]::new);
            if (lines.length >= LEAST_WORDS) {
                return new SimulatedVocabulary(lines);
            }
        }
        throw new IllegalArgumentException("the vocabulary holds neither words nor letters for simulated output");
    }

    static SimulatedVocabulary read() {
        try (InputStream in = SimulatedVocabulary.class.getResourceAsStream(RESOURCE)) {
            String text = new String(in.readAllBytes(), StandardCharsets.US_ASCII);
            return new SimulatedVocabulary(
                    text.lines().filter(line -> !line.startsWith("#")).toArray(String[]::new));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Where the id is, or the empty slot where it would be. */
    private int find(int id) {
        int mask = keys.length - 1;
        int at = id * 0x9e3779b1 >>> 16 & mask;
        while (keys[at] != id && keys[at] != -1) {
            at = at + 1 & mask;
        }
        return at;
    }

    /** The ids of which one must follow this one, or null where any may. */
    int[] following(int id) {
        return following[find(id)];
    }

    byte[] bytes(int id) {
        byte[] found = bytes[find(id)];
        return found == null ? NO_BYTES : found;
    }

    int slots() {
        return slots.length;
    }

    int slot(int i) {
        return slots[i];
    }

    int[] ids() {
        return ids.clone();
    }
}
