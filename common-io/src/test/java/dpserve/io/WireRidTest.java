package dpserve.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class WireRidTest {

    @Test
    void shouldReadWhatItWrites() {
        WireRid rid = new WireRid("chat.1-ü", 1_700_000_000_123L, 42, 3);
        assertThat(WireRid.parse(rid.toString())).isEqualTo(rid);
        assertThat(WireRid.userPart(rid.toString())).isEqualTo("chat.1-ü");
        assertThat(WireRid.isWireRid(rid.toString())).isTrue();
    }

    @Test
    void shouldTellABareRidFromAWireRid() {
        assertThat(WireRid.isWireRid("abc")).isFalse();
        assertThat(WireRid.userPart("abc")).isEqualTo("abc");
        assertThat(WireRid.parse("abc")).isNull();
    }

    @Test
    void shouldTellAUsersRidByItsBytesAsByItsText() {
        String longer = "a".repeat(300);
        String[] users = {"", "a", "ab", "\u00e4", "a\u00e4", "\ud83d\ude00", longer, "a\u001fx", "a\u001f"};
        for (String of : users) {
            for (String text : new String[] {of, of + "\u001f7.4.0", of + "\u001f", of + "b\u001f7.4.0"}) {
                byte[] frame = ("xx" + text + "yy").getBytes(StandardCharsets.UTF_8);
                for (String user : users) {
                    assertThat(WireRid.isOfUser(frame, 2, frame.length - 2, user.getBytes(StandardCharsets.UTF_8)))
                            .as("%s of %s", text, user)
                            .isEqualTo(WireRid.userPart(text).equals(user));
                }
            }
        }
    }

    @Test
    void shouldNotParseADamagedAttempt() {
        assertThat(WireRid.parse("a\u001f1.2")).isNull();
        assertThat(WireRid.parse("a\u001f1.x.2")).isNull();
        assertThat(WireRid.parse("a\u001f")).isNull();
        assertThat(WireRid.parse("a\u001f1.2.99999999999")).isNull();
    }

    @Test
    void shouldHashAsWrittenDown() {
        // Fixed values: the hash is compared between processes, so it must never change by accident.
        assertThat(WireRid.hash64("")).isEqualTo(mixed(0xcbf29ce484222325L));
        assertThat(WireRid.hash64("a")).isEqualTo(mixed(0xaf63dc4c8601ec8cL));
        assertThat(WireRid.hash64("foobar")).isEqualTo(mixed(0x85944171f73967e8L));
    }

    @Test
    void shouldHashTheUtf8BytesOfAnyText() {
        for (String rid : new String[] {"chat.1-ü", "\u007f\u0080", "a\ud83d\ude00b", "lone \ud83d"}) {
            long h = 0xcbf29ce484222325L;
            for (byte b : rid.getBytes(StandardCharsets.UTF_8)) {
                h = (h ^ (b & 0xff)) * 0x100000001b3L;
            }
            assertThat(WireRid.hash64(rid)).as(rid).isEqualTo(mixed(h));
        }
    }

    /** The finishing step, applied to published FNV-1a 64 values. */
    private static long mixed(long fnv1a) {
        long h = (fnv1a ^ (fnv1a >>> 33)) * 0xff51afd7ed558ccdL;
        return h ^ (h >>> 33);
    }
}
