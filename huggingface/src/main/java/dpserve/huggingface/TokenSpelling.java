package dpserve.huggingface;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** How a tokenizer.json writes the bytes of a token in its vocabulary. */
interface TokenSpelling {
    /** What SentencePiece writes for a space. */
    String SPACE_STAND_IN = "\u2581";

    /** The bytes of a token of this name. */
    byte[] bytes(String name);

    /**
     * That of GPT-2 and most models since: each byte is one printable character, itself if it is one of Latin-1, otherwise the
     * next free one from U+0100 on.
     */
    static TokenSpelling byteLevel() {
        int[] byteOf = new int[2 * 0x100];
        int standIn = 0x100;
        for (int b = 0; b < 0x100; b++) {
            boolean printable = b > ' ' && b < 0x7f || b > 0xa0 && b != 0xad;
            byteOf[printable ? b : standIn++] = b;
        }
        int end = standIn;
        return name -> {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            for (int i = 0; i < name.length(); i++) {
                char c = name.charAt(i);
                if (c >= end) {
                    return name.getBytes(StandardCharsets.UTF_8); // as the decoder does with what is not byte-level
                }
                out.write(byteOf[c]);
            }
            return out.toByteArray();
        };
    }

    /**
     * SentencePiece's: text with a stand-in for spaces.
     *
     * @param byteFallback whether names such as {@code <0x0A>} are bytes
     */
    static TokenSpelling metaspace(boolean byteFallback) {
        Pattern oneByte = Pattern.compile("<0x([0-9A-Fa-f]{2})>");
        return name -> {
            Matcher m = oneByte.matcher(name);
            if (byteFallback && m.matches()) {
                return new byte[] {(byte) Integer.parseInt(m.group(1), 16)};
            }
            return name.replace(SPACE_STAND_IN, " ").getBytes(StandardCharsets.UTF_8);
        };
    }
}
