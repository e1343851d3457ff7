package dpserve.huggingface;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Small tokenizer.json files of the two kinds there are. */
final class TestTokenizers {
    static final int HE = 256;
    static final int LL = 257;
    static final int BOS = 258;
    static final int START = 259;
    static final int END = 260;

    private static final List<String> SPECIAL = List.of("<s>", "<|im_start|>", "<|im_end|>");

    private static final String TEMPLATE = "{%- if messages[0].role != 'user' %}\n"
            + "    {{- raise_exception('A user must begin') }}\n{%- endif %}\n"
            + "{%- for m in messages %}\n"
            + "    {{- '<|im_start|>' ~ m.role ~ '\\n' ~ m.content | trim ~ '<|im_end|>\\n' }}\n"
            + "{%- endfor %}\n"
            + "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}\n";

    private TestTokenizers() {}

    /** Writes a vocabulary and a chat template into the folder named. */
    public static void main(String[] args) throws IOException {
        Path folder = Path.of(args[0]);
        write(folder.resolve("tokenizer.json"), byteLevel("ByteLevel"));
        ObjectNode config = new ObjectMapper().createObjectNode();
        config.put("bos_token", "<s>").put("eos_token", "<|im_end|>").put("chat_template", TEMPLATE);
        write(folder.resolve("tokenizer_config.json"), config);
    }

    static void write(Path file, ObjectNode json) throws IOException {
        new ObjectMapper().writeValue(file.toFile(), json);
    }

    /** Bytes and two merges. */
    static ObjectNode byteLevel(String decoder) {
        ObjectNode root = new ObjectMapper().createObjectNode();
        root.put("version", "1.0").putNull("truncation").putNull("padding").putNull("normalizer");
        ArrayNode added = root.putArray("added_tokens");
        for (int id = BOS; id <= END; id++) {
            added.addObject()
                    .put("id", id)
                    .put("content", SPECIAL.get(id - BOS))
                    .put("single_word", false)
                    .put("lstrip", false)
                    .put("rstrip", false)
                    .put("normalized", false)
                    .put("special", true);
        }
        root.putObject("pre_tokenizer")
                .put("type", "ByteLevel")
                .put("add_prefix_space", false)
                .put("trim_offsets", true)
                .put("use_regex", true);
        ObjectNode processor = root.putObject("post_processor").put("type", "TemplateProcessing");
        ArrayNode single = processor.putArray("single");
        single.addObject().putObject("SpecialToken").put("id", "<s>").put("type_id", 0);
        single.addObject().putObject("Sequence").put("id", "A").put("type_id", 0);
        processor.putArray("pair");
        ObjectNode special =
                processor.putObject("special_tokens").putObject("<s>").put("id", "<s>");
        special.putArray("ids").add(BOS);
        special.putArray("tokens").add("<s>");
        root.putObject("decoder")
                .put("type", decoder)
                .put("add_prefix_space", false)
                .put("trim_offsets", true)
                .put("use_regex", true);
        ObjectNode model =
                root.putObject("model").put("type", "BPE").putNull("dropout").putNull("unk_token");
        model.putNull("continuing_subword_prefix").putNull("end_of_word_suffix").put("fuse_unk", false);
        ObjectNode ids = model.putObject("vocab");
        int standIn = 0x100;
        for (int b = 0; b < 256; b++) {
            boolean printable = b > ' ' && b < 0x7f || b > 0xa0 && b != 0xad;
            ids.put(String.valueOf((char) (printable ? b : standIn++)), b);
        }
        ids.put("he", HE).put("ll", LL);
        model.putArray("merges").add("h e").add("l l");
        return root;
    }

    /** SentencePiece's: a space before each text, spaces as U+2581, bytes for what has no piece. */
    static ObjectNode metaspace() {
        ObjectNode root = byteLevel("unused");
        root.putNull("pre_tokenizer");
        ArrayNode normalizers =
                root.putObject("normalizer").put("type", "Sequence").putArray("normalizers");
        normalizers.addObject().put("type", "Prepend").put("prepend", "\u2581");
        normalizers
                .addObject()
                .put("type", "Replace")
                .put("content", "\u2581")
                .putObject("pattern")
                .put("String", " ");
        ArrayNode decoders = root.putObject("decoder").put("type", "Sequence").putArray("decoders");
        decoders.addObject()
                .put("type", "Replace")
                .put("content", " ")
                .putObject("pattern")
                .put("String", "\u2581");
        decoders.addObject().put("type", "ByteFallback");
        decoders.addObject().put("type", "Fuse");
        decoders.addObject()
                .put("type", "Strip")
                .put("content", " ")
                .put("start", 1)
                .put("stop", 0);
        ObjectNode model =
                root.putObject("model").put("type", "BPE").putNull("dropout").putNull("unk_token");
        model.putNull("continuing_subword_prefix").putNull("end_of_word_suffix").put("fuse_unk", false);
        model.put("byte_fallback", true);
        ObjectNode ids = model.putObject("vocab");
        for (int b = 0; b < 256; b++) {
            ids.put(String.format("<0x%02X>", b), b);
        }
        ids.put("he", HE).put("\u2581", LL);
        int id = END + 1;
        for (char c = 'a'; c <= 'z'; c++) {
            ids.put(String.valueOf(c), id++);
        }
        ids.put("\u2581he", id);
        model.putArray("merges").add("h e").add("\u2581 he");
        return root;
    }
}
