package dpserve.huggingface;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What a model's folder says of its tokens.
 *
 * @param file the tokenizer.json
 * @param tokenizer its contents
 * @param chatTemplate Jinja source; null if there is none
 * @param bosToken name of the token that begins a text, or ""
 * @param eosToken name of the token that ends one, or ""
 * @param eosTokenId its id if no name is given, or -1
 */
record TokenizerFiles(
        Path file, JsonNode tokenizer, String chatTemplate, String bosToken, String eosToken, int eosTokenId) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int NONE = -1;

    /**
     * Reads tokenizer.json and, beside it, tokenizer_config.json, special_tokens_map.json, chat_template.jinja and
     * generation_config.json, each of which may be missing. Newer files win, as with transformers: chat_template.jinja
     * over tokenizer_config.json.
     *
     * @param chatTemplate used instead of the folder's own, unless null
     */
    static TokenizerFiles read(Path file, Path chatTemplate) throws IOException {
        JsonNode tokenizer = JSON.readTree(file.toFile());
        if (!tokenizer.path("model").isObject()) {
            throw new IOException("it has no \"model\"");
        }
        JsonNode config = beside(file, "tokenizer_config.json");
        JsonNode map = beside(file, "special_tokens_map.json");
        return new TokenizerFiles(
                file,
                tokenizer,
                chatTemplate == null ? ownTemplate(file, config) : text(chatTemplate),
                name(config, map, "bos_token"),
                name(config, map, "eos_token"),
                eosTokenId(beside(file, "generation_config.json")));
    }

    private static JsonNode beside(Path file, String name) throws IOException {
        Path other = file.resolveSibling(name);
        return Files.isRegularFile(other) ? JSON.readTree(other.toFile()) : JSON.createObjectNode();
    }

    private static String text(Path file) throws IOException {
        return Files.readString(file, StandardCharsets.UTF_8);
    }

    private static String ownTemplate(Path file, JsonNode config) throws IOException {
        Path own = file.resolveSibling("chat_template.jinja");
        if (Files.isRegularFile(own)) {
            return text(own);
        }
        JsonNode template = config.path("chat_template");
        if (template.isTextual()) {
            return template.textValue();
        }
        for (JsonNode named : template) {
            if (named.path("name").asText().equals("default")) {
                return named.path("template").asText();
            }
        }
        return null;
    }

    /** A token's name is a text, or an object that holds it as "content". */
    private static String name(JsonNode config, JsonNode map, String field) {
        JsonNode token = config.hasNonNull(field) ? config.get(field) : map.path(field);
        return token.isObject() ? token.path("content").asText("") : token.asText("");
    }

    private static int eosTokenId(JsonNode generation) {
        JsonNode id = generation.path("eos_token_id");
        return id.isArray() ? id.path(0).asInt(NONE) : id.asInt(NONE);
    }
}
