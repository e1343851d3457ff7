package dpserve.detokenizer;

import dpserve.io.model.ChatTurn;
import dpserve.io.model.Vocabulary;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Collectors;

/** One token per byte, then {@code <end>} as a special token: any bytes can be written in it. */
final class ByteVocabulary implements Vocabulary {
    static final int END = 256;

    @Override
    public int[] encode(String text) {
        return ids(text.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public int[] encodeChat(List<ChatTurn> turns) {
        return encode(turns.stream().map(ChatTurn::content).collect(Collectors.joining()));
    }

    static int[] ids(byte[] bytes) {
        int[] ids = new int[bytes.length];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = bytes[i] & 0xff;
        }
        return ids;
    }

    @Override
    public byte[] tokenBytes(int id) {
        if (id == END) {
            return "<end>".getBytes(StandardCharsets.UTF_8);
        }
        return id < 0 || id > END ? new byte[0] : new byte[] {(byte) id};
    }

    @Override
    public int size() {
        return END + 1;
    }

    @Override
    public int longestTokenBytes() {
        return 5;
    }

    @Override
    public int eosTokenId() {
        return END;
    }

    @Override
    public boolean isSpecial(int id) {
        return id == END;
    }
}
