package dpserve.huggingface;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The bytes of each token of a tokenizer.json, as its decoder would give them, and which tokens are special. */
final class TokenTable {
    private static final byte[] NO_BYTES = {};

    private final byte[][] bytes;
    private final BitSet special = new BitSet();
    private final Map<String, Integer> ids = new HashMap<>();
    private final List<String> specialNames = new ArrayList<>();

    /**
     * @throws IllegalArgumentException if its decoder is none whose tokens have bytes of their own
     */
    TokenTable(JsonNode tokenizer) {
        TokenSpelling spelling = spelling(tokenizer.path("decoder"));
        JsonNode vocabulary = tokenizer.at("/model/vocab");
        if (vocabulary.isArray()) { // Unigram: [piece, score], the id is its place
            for (int id = 0; id < vocabulary.size(); id++) {
                ids.put(vocabulary.get(id).path(0).asText(), id);
            }
        } else {
            vocabulary
                    .properties()
                    .forEach(e -> ids.put(e.getKey(), e.getValue().asInt(-1)));
        }
        Map<Integer, String> added = new HashMap<>();
        for (JsonNode token : tokenizer.path("added_tokens")) {
            String name = token.path("content").asText();
            int id = token.path("id").asInt(-1);
            added.put(id, name);
            ids.put(name, id);
            if (token.path("special").asBoolean()) {
                special.set(requireId(name, id));
                specialNames.add(name);
            }
        }
        int size = 0;
        for (Map.Entry<String, Integer> e : ids.entrySet()) {
            size = Math.max(size, requireId(e.getKey(), e.getValue()) + 1);
        }
        bytes = new byte[size][];
        ids.forEach((name, id) -> bytes[id] = added.containsKey(id) ? null : spelling.bytes(name));
        added.forEach((id, name) -> bytes[id] = name.getBytes(StandardCharsets.UTF_8));
    }

    /** Also a limit: an id far out of range must not make a table of its size. */
    private static int requireId(String name, int id) {
        if (id < 0 || id >= 1 << 24) {
            throw new IllegalArgumentException("the token " + name + " has the id " + id);
        }
        return id;
    }

    private static TokenSpelling spelling(JsonNode decoder) {
        Set<String> types = new HashSet<>();
        Set<String> replaced = new HashSet<>();
        collect(decoder, types, replaced);
        if (types.contains("ByteLevel")) {
            return TokenSpelling.byteLevel();
        }
        if (types.contains("Metaspace") || replaced.contains(TokenSpelling.SPACE_STAND_IN)) {
            return TokenSpelling.metaspace(types.contains("ByteFallback"));
        }
        throw new IllegalArgumentException("its decoder " + (types.isEmpty() ? "(none)" : types)
                + " is not supported; ByteLevel, Metaspace and SentencePiece's with ByteFallback are");
    }

    private static void collect(JsonNode decoder, Set<String> types, Set<String> replaced) {
        if (decoder.hasNonNull("type")) {
            types.add(decoder.get("type").asText());
        }
        if (decoder.path("type").asText().equals("Replace")
                && decoder.path("content").asText().equals(" ")) {
            replaced.add(decoder.at("/pattern/String").asText());
        }
        decoder.path("decoders").forEach(each -> collect(each, types, replaced));
    }

    int size() {
        return bytes.length;
    }

    byte[] bytes(int id) {
        return id < 0 || id >= bytes.length || bytes[id] == null ? NO_BYTES : bytes[id];
    }

    boolean isSpecial(int id) {
        return id >= 0 && special.get(id);
    }

    /** The id of a token by its name in the file; -1 if there is none. */
    int id(String name) {
        return ids.getOrDefault(name, -1);
    }

    List<String> specialNames() {
        return specialNames;
    }
}
