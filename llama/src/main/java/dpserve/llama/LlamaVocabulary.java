package dpserve.llama;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import dpserve.io.model.ChatPrompt;
import dpserve.io.model.ChatTurn;
import dpserve.io.model.Vocabulary;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CharsetEncoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The vocabulary of a GGUF model: texts to token ids, ids to bytes, which ids are special, and the model's chat
 * template. Safe for several threads while its model is open.
 */
public final class LlamaVocabulary implements Vocabulary {
    /** {@code LLAMA_TOKEN_ATTR_UNKNOWN | LLAMA_TOKEN_ATTR_CONTROL}. */
    private static final int SPECIAL_ATTRIBUTES = 1 | 8;

    /** Longer than any token's text; a longer one is read again into a buffer of its size. */
    private static final int PIECE_BYTES = 64;

    private static final byte[] REPLACEMENT = "\ufffd".getBytes(StandardCharsets.UTF_8);
    private static final String UTF_8 = "UTF-8";
    private static final byte NO = 0;
    private static final byte YES = 1;

    private final LlamaLibrary library;
    private final LlamaModel model;
    private final byte[][] pieces;
    private final BitSet special = new BitSet();
    private final BitSet endOfGeneration = new BitSet();
    private final int eosTokenId;
    private final int longest;
    private final String chatTemplate;
    private final Pattern specialNames;

    LlamaVocabulary(LlamaLibrary library, LlamaModel model) {
        this.library = library;
        this.model = model;
        Pointer vocab = handle();
        this.pieces = new byte[library.llama_vocab_n_tokens(vocab)][];
        for (int id = 0; id < pieces.length; id++) {
            pieces[id] = piece(vocab, id);
            special.set(id, (library.llama_vocab_get_attr(vocab, id) & SPECIAL_ATTRIBUTES) != 0);
            endOfGeneration.set(id, library.llama_vocab_is_eog(vocab, id) != NO);
        }
        this.longest =
                Math.max(1, Arrays.stream(pieces).mapToInt(p -> p.length).max().orElse(1));
        this.eosTokenId = library.llama_vocab_eos(vocab);
        Pointer template = library.llama_model_chat_template(model.handle(), null);
        this.chatTemplate = template == null ? null : template.getString(0, UTF_8);
        String names = special.stream()
                .filter(id -> pieces[id].length > 0)
                .mapToObj(id -> Pattern.quote(new String(pieces[id], StandardCharsets.UTF_8)))
                .collect(Collectors.joining("|"));
        // An alternative that never matches, for a vocabulary without special tokens.
        this.specialNames = Pattern.compile(names.isEmpty() ? "(?!)" : names);
    }

    @Override
    public int size() {
        return pieces.length;
    }

    /** The token that ends a text; -1 if the vocabulary has none. */
    @Override
    public int eosTokenId() {
        return eosTokenId;
    }

    /** Whether generation ends with this token: EOS, and what else the model ends a turn with. */
    public boolean isEndOfGeneration(int id) {
        return id >= 0 && endOfGeneration.get(id);
    }

    /** All ids of {@link #isEndOfGeneration}, ascending. */
    public int[] endOfGenerationIds() {
        return endOfGeneration.stream().toArray();
    }

    @Override
    public boolean isSpecial(int id) {
        return id >= 0 && special.get(id);
    }

    /**
     * The bytes a token stands for; those of a special token are the UTF-8 of its name. One token may hold a part of a
     * character.
     *
     * @return empty for an id that names no token. Shared: never change it
     */
    @Override
    public byte[] tokenBytes(int id) {
        return id >= 0 && id < pieces.length ? pieces[id] : new byte[0];
    }

    /**
     * The tokens of a text. Unless BOS is added, their bytes joined are the UTF-8 of the text for byte-level vocabularies
     * (BPE); a SentencePiece one may begin with a space of its own. An unpaired surrogate counts as U+FFFD.
     *
     * @param addSpecial add BOS and EOS if the model wants them
     * @param parseSpecial read the names of special tokens as these tokens; never for what a user wrote
     */
    public int[] tokenize(String text, boolean addSpecial, boolean parseSpecial) {
        byte[] bytes = utf8(text);
        byte add = addSpecial ? YES : NO;
        byte parse = parseSpecial ? YES : NO;
        // At most one token a byte, BOS and EOS, and the space SentencePiece may add.
        int[] ids = new int[bytes.length + 3];
        int n = library.llama_tokenize(handle(), bytes, bytes.length, ids, ids.length, add, parse);
        if (n < 0) {
            throw new LlamaException("a text of " + bytes.length + " bytes became " + -n + " tokens");
        }
        return Arrays.copyOf(ids, n);
    }

    @Override
    public int[] encode(String text) {
        return tokenize(text, false, false);
    }

    @Override
    public int[] encodePrompt(String text) {
        return tokenize(text, true, false);
    }

    @Override
    public int longestTokenBytes() {
        return longest;
    }

    /** {@inheritDoc} llama.cpp knows the common templates by heart and evaluates none; ChatML without a template. */
    @Override
    public int[] encodeChat(List<ChatTurn> turns) {
        List<ChatPrompt.Segment> segments = new ChatPrompt(turns, rendered(turns)).segments(specialNames);
        return IntStream.range(0, segments.size())
                .flatMap(i -> Arrays.stream(
                        tokenize(segments.get(i).text(), i == 0, segments.get(i).parseSpecial())))
                .toArray();
    }

    /** The template around {@link ChatPrompt}'s marks instead of the contents, which C strings cannot carry whole. */
    private String rendered(List<ChatTurn> messages) {
        if (messages.isEmpty()) {
            throw new IllegalArgumentException("messages must not be empty");
        }
        byte[] template = chatTemplate == null ? null : (chatTemplate + "\0").getBytes(StandardCharsets.UTF_8);
        Memory[] texts = new Memory[2 * messages.size()];
        try (Memory structs = new Memory((long) Native.POINTER_SIZE * texts.length)) {
            for (int i = 0; i < texts.length; i++) {
                String text = i % 2 == 0 ? messages.get(i / 2).role() : ChatPrompt.mark(i / 2);
                byte[] bytes = (text + "\0").getBytes(StandardCharsets.UTF_8);
                texts[i] = new Memory(bytes.length);
                texts[i].write(0, bytes, 0, bytes.length);
                structs.setPointer((long) Native.POINTER_SIZE * i, texts[i]);
            }
            byte[] buffer = new byte[0];
            while (true) {
                int n = library.llama_chat_apply_template(
                        template, structs, messages.size(), YES, buffer, buffer.length);
                if (n < 0) {
                    throw new IllegalArgumentException("the model's chat template is none of those llama.cpp knows");
                }
                if (n <= buffer.length) {
                    return new String(buffer, 0, n, StandardCharsets.UTF_8);
                }
                buffer = new byte[n];
            }
        } finally {
            for (Memory text : texts) {
                if (text != null) {
                    text.close();
                }
            }
        }
    }

    private byte[] piece(Pointer vocab, int id) {
        byte[] buffer = new byte[PIECE_BYTES];
        int n = library.llama_token_to_piece(vocab, id, buffer, buffer.length, 0, YES);
        if (n < 0) {
            buffer = new byte[-n];
            n = library.llama_token_to_piece(vocab, id, buffer, buffer.length, 0, YES);
        }
        return Arrays.copyOf(buffer, n);
    }

    private Pointer handle() {
        return library.llama_model_get_vocab(model.handle());
    }

    private static byte[] utf8(String text) {
        CharsetEncoder encoder = StandardCharsets.UTF_8
                .newEncoder()
                .replaceWith(REPLACEMENT)
                .onMalformedInput(CodingErrorAction.REPLACE);
        try {
            ByteBuffer bytes = encoder.encode(CharBuffer.wrap(text));
            return Arrays.copyOf(bytes.array(), bytes.limit());
        } catch (CharacterCodingException e) {
            throw new IllegalStateException("UTF-8 encodes every character", e);
        }
    }
}
