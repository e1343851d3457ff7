package dpserve.huggingface;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import dpserve.io.model.ChatPrompt;
import dpserve.io.model.ChatTurn;
import dpserve.io.model.Vocabulary;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A tokenizer.json. Texts are cut by Hugging Face's own library, which is loaded with the first of them; what tokens stand for
 * is read from the file, so a process that only needs that never loads it.
 */
final class HuggingFaceVocabulary implements Vocabulary {
    /** The library would report its use and look for files over the network. */
    private static final Map<String, String> OFFLINE = Map.of("OPT_OUT_TRACKING", "true", "ai.djl.offline", "true");

    private static final Map<String, String> WHOLE_TEXTS = Map.of("truncation", "false", "padding", "false");

    private final TokenizerFiles files;
    private final TokenTable tokens;
    private final Pattern specialNames;
    private final ChatTemplate chatTemplate;
    private final int eosTokenId;
    private final int longest;
    private volatile Cutter cutter;

    /** The library's tokenizer, and what it puts before a text. */
    private record Cutter(HuggingFaceTokenizer tokenizer, int[] prefix) {}

    HuggingFaceVocabulary(TokenizerFiles files) {
        this.files = files;
        this.tokens = new TokenTable(files.tokenizer());
        this.chatTemplate = files.chatTemplate() == null
                ? null
                : new ChatTemplate(files.chatTemplate(), files.bosToken(), files.eosToken());
        int named = tokens.id(files.eosToken());
        this.eosTokenId = named >= 0 ? named : files.eosTokenId();
        String names = tokens.specialNames().stream().map(Pattern::quote).collect(Collectors.joining("|"));
        // An alternative that never matches, for a vocabulary without special tokens.
        this.specialNames = Pattern.compile(names.isEmpty() ? "(?!)" : names);
        this.longest = Math.max(
                1,
                IntStream.range(0, size())
                        .map(id -> tokenBytes(id).length)
                        .max()
                        .orElse(1));
    }

    private Cutter cutter() {
        Cutter c = cutter;
        if (c == null) {
            synchronized (this) {
                c = cutter;
                if (c == null) {
                    c = load();
                    cutter = c;
                }
            }
        }
        return c;
    }

    private Cutter load() {
        OFFLINE.forEach(System::setProperty);
        try {
            HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.newInstance(files.file(), WHOLE_TEXTS);
            int[] around = cut(tokenizer, "", true);
            // One id around nothing stands before a text (BOS); two would frame it, which no generating model wants.
            return new Cutter(tokenizer, around.length == 1 && around[0] != eosTokenId ? around : new int[0]);
        } catch (IOException e) {
            throw new UncheckedIOException("--tokenizer-path: " + files.file() + ": " + e.getMessage(), e);
        }
    }

    private static int[] cut(HuggingFaceTokenizer tokenizer, String text, boolean addSpecial) {
        return Arrays.stream(tokenizer.encode(text, addSpecial, false).getIds())
                .mapToInt(Math::toIntExact)
                .toArray();
    }

    /** Names of special tokens in it are these tokens, as the library always reads them. */
    private IntStream parsed(String text) {
        return Arrays.stream(cut(cutter().tokenizer, text, false));
    }

    /** {@inheritDoc} A name of a special token is cut in two first; a vocabulary of SentencePiece's begins with a space of its own. */
    @Override
    public int[] encode(String text) {
        return plain(text).toArray();
    }

    private IntStream plain(String text) {
        IntStream ids = IntStream.empty();
        Matcher name = specialNames.matcher(text);
        int from = 0;
        while (name.find()) {
            int within = name.start() + Character.charCount(text.codePointAt(name.start()));
            ids = IntStream.concat(ids, parsed(text.substring(from, within)));
            from = within;
        }
        return IntStream.concat(ids, parsed(text.substring(from)));
    }

    @Override
    public int[] encodePrompt(String text) {
        return IntStream.concat(Arrays.stream(cutter().prefix), plain(text)).toArray();
    }

    /** {@inheritDoc} As transformers' apply_chat_template. */
    @Override
    public int[] encodeChat(List<ChatTurn> turns) {
        if (chatTemplate == null) {
            throw new IllegalArgumentException("this model has no chat template (--chat-template)");
        }
        if (turns.stream().noneMatch(t -> specialNames.matcher(t.content()).find())) {
            return parsed(chatTemplate.render(turns, i -> turns.get(i).content()))
                    .toArray();
        }
        // The template sees marks, so that what is a token can be told from what a user wrote.
        return new ChatPrompt(turns, chatTemplate.render(turns, ChatPrompt::mark))
                .segments(specialNames).stream()
                        .flatMapToInt(s -> s.parseSpecial() ? parsed(s.text()) : plain(s.text()))
                        .toArray();
    }

    @Override
    public byte[] tokenBytes(int id) {
        return tokens.bytes(id);
    }

    @Override
    public int size() {
        return tokens.size();
    }

    @Override
    public int longestTokenBytes() {
        return longest;
    }

    /** {@inheritDoc} -1 if no file names one. */
    @Override
    public int eosTokenId() {
        return eosTokenId;
    }

    @Override
    public boolean isSpecial(int id) {
        return tokens.isSpecial(id);
    }
}
