package dpserve.io.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dpserve.io.message.BatchTokenizedGenerateReqInput;
import dpserve.io.message.EndNotice;
import dpserve.io.message.SamplingParams;
import dpserve.io.message.TokenizedGenerateReqInput;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class RequestHeaderTest {
    private final RequestHeader header = new RequestHeader();

    private static TokenizedGenerateReqInput request(String rid, int tokens) {
        return new TokenizedGenerateReqInput(
                rid,
                "tcp://127.0.0.1:1",
                "text",
                new int[tokens],
                SamplingParams.greedy(9),
                false,
                -1,
                0,
                true,
                "host",
                9000,
                77L,
                3,
                2,
                "session",
                1,
                "key",
                1,
                0.0);
    }

    @ParameterizedTest
    @EnumSource(IntArrayForm.class)
    void shouldReadWhatTheControllerNeeds(IntArrayForm form) throws Exception {
        header.read(new MessageCodec(form).encode(request("r1", 500)));
        assertThat(header.rid()).hasToString("r1");
        assertThat(header.httpWorkerIpc()).isEqualTo("tcp://127.0.0.1:1");
        assertThat(header.promptTokens()).isEqualTo(500);
        assertThat(header.bootstrapRoom()).isEqualTo(77L);
        assertThat(header.routedDpRank()).isEqualTo(3);
        assertThat(header.routingKey()).isEqualTo("session");
        assertThat(header.hasDispatchTime()).isTrue();
    }

    @Test
    void shouldReadARequestThatEndsAsTheOneBeforeLikeAnyOther() throws Exception {
        MessageCodec codec = new MessageCodec(IntArrayForm.INT32);
        for (int tokens : new int[] {5, 700, 1}) {
            byte[] frame = codec.encode(request("r" + tokens, tokens));
            header.read(frame);
            assertThat(header.rid()).hasToString("r" + tokens);
            assertThat(header.promptTokens()).isEqualTo(tokens);
            assertThat(header.bootstrapRoom()).isEqualTo(77L);
            assertThat(header.routedDpRank()).isEqualTo(3);
            assertThat(header.routingKey()).isEqualTo("session");
            assertThat(header.hasDispatchTime()).isTrue();
        }
    }

    @Test
    void shouldNotTakeTheEndOfAnotherKindOfRequestForItsOwn() throws Exception {
        header.read(legacy(42, 27));
        assertThat(header.routedDpRank()).isEqualTo(5);
        byte[] other = legacy(42, 27);
        other[other.length - 1] = (byte) 0xc1;
        assertThatThrownBy(() -> header.read(other)).isInstanceOf(CodecException.class);
        assertThatThrownBy(() -> header.read(other)).isInstanceOf(CodecException.class);
        header.read(new MessageCodec(IntArrayForm.INT32).encode(request("r1", 5)));
        assertThat(header.routedDpRank()).isEqualTo(3);
        byte[] whole = new MessageCodec(IntArrayForm.INT32).encode(request("r1", 5));
        byte[] cut = Arrays.copyOf(whole, whole.length - 20);
        assertThatThrownBy(() -> header.read(cut)).isInstanceOf(CodecException.class);
    }

    @Test
    void shouldSayOfARequestThatItsLastEightBytesAreTheDispatchTime() throws Exception {
        MessageCodec codec = new MessageCodec(IntArrayForm.INT32);
        byte[] frame = codec.encode(request("r1", 5));
        assertThat(header.read(frame).hasDispatchTime()).isTrue();
        ByteBuffer.wrap(frame).putDouble(frame.length - Double.BYTES, 1_763_871_234.125); // as the controller does
        assertThat(((TokenizedGenerateReqInput) codec.decode(frame)).dispatchTime())
                .isEqualTo(1_763_871_234.125);
    }

    @ParameterizedTest
    @CsvSource({"42, 27", "43, 28", "44, 29", "45, 30", "46, 30", "50, 30"})
    void shouldKnowWhereOlderReleasesPutTheRank(int length, int rankAt) throws Exception {
        header.read(legacy(length, rankAt));
        assertThat(header.rid()).hasToString("r");
        assertThat(header.promptTokens()).isEqualTo(2);
        assertThat(header.bootstrapRoom()).isEqualTo(77L);
        assertThat(header.routedDpRank()).isEqualTo(5);
        assertThat(header.hasDispatchTime()).isFalse();
    }

    @Test
    void shouldLeaveAnAsciiRidWhereItLiesAndMakeUtf8OfAnyOther() throws Exception {
        MessageCodec codec = new MessageCodec(IntArrayForm.INT32);
        byte[] frame = codec.encode(request("rid-of-sixteen-and-more", 5));
        assertThat(header.read(frame).rid().utf8()).isSameAs(frame);
        int at = header.rid().from();
        frame[at + 17] = (byte) 0xff;
        String expected = ((TokenizedGenerateReqInput) codec.decode(frame)).rid();
        assertThat(header.read(frame).rid()).isEqualTo(TextSpan.of(expected));
        assertThat(expected).contains("\ufffd");
    }

    @Test
    void shouldTrustNoPositionOfAnUnknownLayout() throws Exception {
        header.read(legacy(61, 30));
        assertThat(header.rid()).hasToString("r");
        assertThat(header.promptTokens()).isEqualTo(2);
        assertThat(header.routedDpRank()).isNull();
        assertThat(header.bootstrapRoom()).isNull();
    }

    private static byte[] legacy(int length, int rankAt) throws Exception {
        return MessageCodecTest.pack(p -> {
            p.packArrayHeader(length).packString("TokenizedGenerateReqInput");
            for (int i = 1; i < length; i++) {
                if (i == 1) {
                    p.packString("r");
                } else if (i == 4) {
                    p.packArrayHeader(2).packString("q").packBinaryHeader(16).writePayload(new byte[16]);
                } else if (i == rankAt - 3) {
                    p.packInt(77);
                } else if (i == rankAt) {
                    p.packInt(5);
                } else {
                    p.packNil();
                }
            }
        });
    }

    @Test
    void shouldReadAnEmbeddingRequest() throws Exception {
        header.read(MessageCodecTest.pack(p -> {
            p.packArrayHeader(19).packString("TokenizedEmbeddingReqInput");
            p.packString("e").packNil().packNil();
            p.packArrayHeader(2).packString("q").packBinaryHeader(8).writePayload(new byte[8]);
            for (int i = 5; i < 19; i++) {
                if (i == 10) {
                    p.packInt(1);
                } else {
                    p.packNil();
                }
            }
        }));
        assertThat(header.rid()).hasToString("e");
        assertThat(header.promptTokens()).isEqualTo(1);
        assertThat(header.routedDpRank()).isEqualTo(1);
    }

    @Test
    void shouldHashEqualPrefixesEquallyInEveryForm() throws Exception {
        int[] a = IntStream.range(0, 300).toArray();
        int[] b = a.clone();
        b[150] = 7;
        long[] first = prefixes(IntArrayForm.INT32, a);
        assertThat(first).hasSize(4).doesNotContain(0);
        assertThat(prefixes(IntArrayForm.INT64, a)).containsExactly(first);
        assertThat(PrefixHash.of(a)).containsExactly(first);
        long[] other = prefixes(IntArrayForm.INT64, b);
        assertThat(other[0]).isEqualTo(first[0]);
        assertThat(other[1]).isEqualTo(first[1]);
        assertThat(other[2]).isNotEqualTo(first[2]);
        assertThat(other[3]).isNotEqualTo(first[3]);
    }

    private long[] prefixes(IntArrayForm form, int[] ids) throws Exception {
        byte[] frame = new MessageCodec(form)
                .encode(TokenizedGenerateReqInput.of("r", null, ids, SamplingParams.greedy(1), true));
        return header.read(frame).prefixHashes(frame);
    }

    @Test
    void shouldSplitABatchIntoMessages() throws Exception {
        MessageCodec codec = new MessageCodec(IntArrayForm.INT64);
        byte[] frame =
                codec.encode(new BatchTokenizedGenerateReqInput(null, null, List.of(request("a", 3), request("b", 4))));
        List<byte[]> items = header.splitBatch(frame);
        assertThat(items).hasSize(2);
        assertThat(items.get(0)).isEqualTo(codec.encode(request("a", 3)));
        assertThat(header.read(items.get(1)).rid()).hasToString("b");
        assertThat(header.hasDispatchTime()).isTrue();
    }

    @Test
    void shouldRefuseWhatIsNoRequest() {
        byte[] frame = new MessageCodec(IntArrayForm.INT32).encode(new EndNotice(new String[] {"x"}));
        assertThatThrownBy(() -> header.read(frame)).isInstanceOf(CodecException.class);
        assertThatThrownBy(() -> header.splitBatch(frame)).isInstanceOf(CodecException.class);
        assertThat(catchTag(frame)).isEqualTo("EndNotice");
    }

    private String catchTag(byte[] frame) {
        try {
            return header.peekTag(frame);
        } catch (CodecException e) {
            return e.getMessage();
        }
    }
}
