package dpserve.io.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dpserve.io.message.DropState;
import dpserve.io.message.EndNotice;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class EndedRidsTest {
    private final MessageCodec codec = new MessageCodec(IntArrayForm.INT32);

    @Test
    void shouldFindEveryRidOfANotice() throws Exception {
        String[] rids = new String[20];
        Arrays.setAll(rids, i -> (i == 7 ? "größer" : "u".repeat(20 * i)) + "\u001f1700.%d.0".formatted(i));
        byte[] frame = codec.encode(new EndNotice(rids));
        assertThat(EndedRids.matches(frame)).isTrue();
        EndedRids ended = EndedRids.read(frame);
        String[] found = new String[ended.count()];
        Arrays.setAll(found, i -> ended.rid(i).toString());
        assertThat(found).isEqualTo(rids);
    }

    @Test
    void shouldTakeNoOtherMessageForOne() {
        byte[] frame = codec.encode(new DropState(new String[] {"a"}));
        assertThat(EndedRids.matches(frame)).isFalse();
        assertThat(EndedRids.matches(new byte[0])).isFalse();
        assertThat(EndedRids.matches(new byte[] {(byte) 0x94, (byte) 0xa9, 'E'}))
                .isFalse();
    }

    @Test
    void shouldRefuseEveryTruncatedNoticeAsTheCodecDoes() {
        byte[] frame = codec.encode(new EndNotice(new String[] {"a\u001f1.2.0", "b\u001f1.3.0"}));
        for (int length = 12; length < frame.length; length++) {
            byte[] cut = Arrays.copyOf(frame, length);
            assertThat(EndedRids.matches(cut)).isTrue();
            assertThatThrownBy(() -> EndedRids.read(cut)).isInstanceOf(CodecException.class);
            assertThatThrownBy(() -> codec.decode(cut)).isInstanceOf(CodecException.class);
        }
    }
}
