package dpserve.io.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dpserve.io.codec.CodecException.Kind;
import dpserve.io.message.BatchStrOutput;
import dpserve.io.message.BatchTokenIDOutput;
import dpserve.io.message.FinishReason;
import dpserve.io.message.GetInternalStateReqOutput;
import dpserve.io.message.GetLoadReqOutput;
import dpserve.io.message.Message;
import dpserve.io.message.SamplingParams;
import dpserve.io.message.TokenizedGenerateReqInput;
import dpserve.io.message.WatchLoadUpdateReq;
import dpserve.io.model.NextToken;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.msgpack.core.MessageBufferPacker;
import org.msgpack.core.MessagePack;
import org.msgpack.core.MessageUnpacker;
import org.msgpack.value.ArrayValue;

class MessageCodecTest {
    private static final int ROUNDS = 200;
    private static final int MUTATIONS = 200_000;

    private final MessageCodec codec = new MessageCodec(IntArrayForm.INT32);

    @ParameterizedTest
    @EnumSource(IntArrayForm.class)
    void shouldReadWhatItWrites(IntArrayForm form) throws Exception {
        MessageCodec writer = new MessageCodec(form);
        RandomMessages messages = new RandomMessages(11);
        for (int i = 0; i < ROUNDS * messages.kinds(); i++) {
            Message message = messages.next(i);
            Message back = codec.decode(writer.encode(message));
            assertThat(back).usingRecursiveComparison().isEqualTo(message);
        }
    }

    @Test
    void shouldWriteWhatAnotherMsgpackReaderUnderstands() throws Exception {
        RandomMessages messages = new RandomMessages(12);
        for (int i = 0; i < 20 * messages.kinds(); i++) {
            byte[] frame = codec.encode(messages.next(i));
            try (MessageUnpacker unpacker = MessagePack.newDefaultUnpacker(frame)) {
                ArrayValue array = unpacker.unpackValue().asArrayValue();
                assertThat(array.get(0).isStringValue()).isTrue();
                assertThat(unpacker.hasNext()).isFalse();
            }
        }
    }

    /** Positions 17, 18, 21 and 22 of SGLang 0.5.23's layout; lists of its other log probabilities are there, and empty. */
    @Test
    void shouldWriteLogprobsWhereSglangHasThem() throws Exception {
        NextToken first = new NextToken(5, -0.25, new int[] {5, 6}, new double[] {-0.25, -1.5});
        int[] zero = {0, 0};
        boolean[] no = {false, false};
        BatchTokenIDOutput batch = new BatchTokenIDOutput(
                new String[] {"a", "b"},
                null,
                new FinishReason[2],
                new String[] {"", ""},
                new int[][] {{5}, {}},
                zero,
                new int[][] {{5}, {}},
                no,
                no,
                no,
                zero,
                zero,
                zero,
                zero,
                zero,
                null,
                null,
                null,
                new NextToken[][] {{first}, null});
        try (MessageUnpacker unpacker = MessagePack.newDefaultUnpacker(codec.encode(batch))) {
            ArrayValue array = unpacker.unpackValue().asArrayValue();
            assertThat(array.size()).isEqualTo(54);
            assertThat(array.get(17).toJson()).isEqualTo("[[-0.25],[]]");
            assertThat(array.get(18).toJson()).isEqualTo("[[5],[]]");
            assertThat(array.get(21).toJson()).isEqualTo("[[[-0.25,-1.5]],[]]");
            assertThat(array.get(22).toJson()).isEqualTo("[[[5,6]],[]]");
            for (int other : new int[] {15, 16, 19, 20, 23, 24, 25, 26}) {
                assertThat(array.get(other).toJson()).isEqualTo("[[],[]]");
            }
            assertThat(array.get(27).isNilValue()).isTrue();
        }
    }

    @Test
    void shouldNeverThrowAnythingButACodecException() {
        RandomMessages messages = new RandomMessages(13);
        Random random = new Random(14);
        byte[][] frames = new byte[10 * messages.kinds()][];
        for (int i = 0; i < frames.length; i++) {
            frames[i] = codec.encode(messages.next(i));
        }
        RequestHeader header = new RequestHeader();
        Map<Kind, Integer> seen = new HashMap<>();
        for (int i = 0; i < MUTATIONS; i++) {
            byte[] frame = mutate(frames[random.nextInt(frames.length)], random);
            Throwable thrown = catchThrowable(() -> codec.decode(frame));
            if (thrown != null) {
                assertThat(thrown).isInstanceOf(CodecException.class);
                seen.merge(((CodecException) thrown).kind(), 1, Integer::sum);
            }
            Throwable headerThrown = catchThrowable(() -> header.read(frame));
            if (headerThrown != null) {
                assertThat(headerThrown).isInstanceOf(CodecException.class);
            }
        }
        assertThat(seen).containsKeys(Kind.TRUNCATED, Kind.WRONG_TYPE, Kind.UNKNOWN_TAG, Kind.BAD_VALUE);
    }

    private static byte[] mutate(byte[] frame, Random random) {
        byte[] copy = Arrays.copyOf(frame, Math.min(frame.length, 2000));
        for (int i = 1 + random.nextInt(3); i > 0; i--) {
            // Most headers lie at the front, so most changes go there.
            int at = random.nextInt(random.nextBoolean() ? copy.length : Math.min(60, copy.length));
            copy[at] = (byte) random.nextInt(256);
        }
        return random.nextInt(3) == 0 ? Arrays.copyOf(copy, random.nextInt(copy.length + 1)) : copy;
    }

    @Test
    void shouldRefuseEveryTruncation() {
        RandomMessages messages = new RandomMessages(15);
        for (int kind = 0; kind < messages.kinds(); kind++) {
            byte[] frame = codec.encode(messages.next(kind));
            for (int length = 0; length < frame.length; length += 1 + frame.length / 200) {
                byte[] cut = Arrays.copyOf(frame, length);
                assertThatThrownBy(() -> codec.decode(cut)).isInstanceOf(CodecException.class);
            }
        }
    }

    @Test
    void shouldNotBelieveAHeaderThatAnnouncesMoreThanTheFrameHolds() throws Exception {
        // An array of 2^31 - 1 rids in a frame of 30 bytes must not allocate them.
        byte[] frame = pack(p -> {
            p.packArrayHeader(4);
            p.packString("EndNotice").packNil().packNil();
            p.packArrayHeader(Integer.MAX_VALUE);
        });
        assertKind(frame, Kind.TRUNCATED);
    }

    @Test
    void shouldNameWhatIsWrong() throws Exception {
        assertKind(pack(p -> p.packArrayHeader(1).packString("Nonsense")), Kind.UNKNOWN_TAG);
        assertKind(pack(p -> p.packMapHeader(0)), Kind.WRONG_TYPE);
        assertKind(new byte[0], Kind.TRUNCATED);
        assertKind(
                pack(p -> {
                    p.packArrayHeader(4).packString("EndNotice").packNil().packNil();
                    p.packArrayHeader(1).packInt(5);
                }),
                Kind.WRONG_TYPE);
        byte[] deep = pack(p -> {
            p.packArrayHeader(4)
                    .packString("GetInternalStateReqOutput")
                    .packNil()
                    .packNil();
            p.packMapHeader(1).packString("a");
            for (int i = 0; i < 40; i++) {
                p.packArrayHeader(1);
            }
            p.packNil();
        });
        assertKind(deep, Kind.TOO_DEEP);
    }

    @Test
    void shouldRefuseColumnsOfDifferentLength() throws Exception {
        byte[] frame = pack(p -> {
            p.packArrayHeader(49).packString("BatchStrOutput");
            p.packArrayHeader(2).packString("a").packString("b");
            p.packNil();
            p.packArrayHeader(1).packNil();
            for (int i = 4; i < 49; i++) {
                p.packNil();
            }
        });
        assertThatThrownBy(() -> codec.decode(frame))
                .isInstanceOf(CodecException.class)
                .hasMessageContaining("finished_reasons");
    }

    @Test
    void shouldTakeStampsOfFewerAndOfMoreStages() throws Exception {
        BatchStrOutput sent = new BatchStrOutput(
                new String[] {"a", "b"},
                null,
                new FinishReason[2],
                new String[] {"x", "y"},
                null,
                new int[2],
                new int[2],
                new int[2],
                new int[2],
                new int[2],
                null,
                null,
                new double[][] {{1, 2, 3, 4, 5, 6, 7, 8}, {1, 2}},
                null);
        BatchStrOutput read = (BatchStrOutput) codec.decode(codec.encode(sent));
        assertThat(read.stamps()[0]).containsExactly(1, 2, 3, 4, 5, 6);
        assertThat(read.stamps()[1]).containsExactly(1, 2, 0, 0, 0, 0);
    }

    @Test
    void shouldIgnoreExtensionKeysItDoesNotKnow() throws Exception {
        byte[] frame = pack(p -> {
            p.packArrayHeader(9).packString("GetLoadReqOutput").packNil().packNil();
            p.packInt(3).packInt(5).packInt(1).packInt(700).packDouble(1.5);
            p.packArrayHeader(2).packString("DpserveExt");
            p.packMapHeader(3);
            p.packInt(7).packInt(42);
            p.packInt(9999).packArrayHeader(2).packNil().packString("later");
            p.packInt(2).packInt(17);
        });
        GetLoadReqOutput load = (GetLoadReqOutput) codec.decode(frame);
        assertThat(load.seq()).isEqualTo(42);
        assertThat(load.incarnation()).isEqualTo(17);
        assertThat(load.numReqs()).isEqualTo(5);
    }

    @Test
    void shouldPassOverANilLoad() throws Exception {
        // Upstream sent [None] for a while and its controller died of it (#15823).
        byte[] frame = pack(p -> {
            p.packArrayHeader(4).packString("WatchLoadUpdateReq").packNil().packNil();
            p.packArrayHeader(1).packNil();
        });
        assertThat(((WatchLoadUpdateReq) codec.decode(frame)).loads()).isEmpty();
    }

    @Test
    void shouldFindTheExtensionBehindALongerLayout() throws Exception {
        // A later release with five more fields than the pinned one.
        BatchTokenIDOutput message = (BatchTokenIDOutput) codec.decode(pack(p -> {
            p.packArrayHeader(60).packString("BatchTokenIDOutput");
            for (int i = 1; i < 59; i++) {
                if (i <= 14 && i != 2 && i != 7) {
                    p.packArrayHeader(0);
                } else {
                    p.packNil();
                }
            }
            p.packArrayHeader(2).packString("DpserveExt").packMapHeader(1).packInt(1);
            p.packArrayHeader(8).packString("GetLoadReqOutput").packNil().packNil();
            p.packInt(3).packInt(5).packInt(1).packInt(700).packDouble(1.5);
        }));
        assertThat(message.size()).isZero();
        assertThat(message.load().dpRank()).isEqualTo(3);
        assertThat(message.load().seq()).isEqualTo(GetLoadReqOutput.NO_SEQ);
    }

    @Test
    void shouldRefuseAStateItCannotCarry() {
        Map<String, Object> state = Map.of("x", new Object());
        assertThatThrownBy(() -> codec.encode(new GetInternalStateReqOutput(null, null, state)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void shouldReadEveryTypecode() throws Exception {
        assertThat(idsOf("b", new byte[] {-1, 2})).containsExactly(-1, 2);
        assertThat(idsOf("B", new byte[] {-1, 2})).containsExactly(255, 2);
        assertThat(idsOf("h", new byte[] {-1, -1})).containsExactly(-1);
        assertThat(idsOf("H", new byte[] {-1, -1})).containsExactly(65535);
        assertThat(idsOf("i", new byte[] {-1, -1, -1, -1})).containsExactly(-1);
        assertThat(idsOf("l", new byte[] {5, 0, 0, 0, 0, 0, 0, 0})).containsExactly(5);
        assertThatThrownBy(() -> idsOf("I", new byte[] {-1, -1, -1, -1})).hasMessageContaining("32 bits");
        assertThatThrownBy(() -> idsOf("Q", new byte[] {-1, -1, -1, -1, -1, -1, -1, -1}))
                .hasMessageContaining("32 bits");
        assertThatThrownBy(() -> idsOf("f", new byte[4])).hasMessageContaining("typecode");
        assertThatThrownBy(() -> idsOf("i", new byte[5])).hasMessageContaining("part of an item");
    }

    private int[] idsOf(String typecode, byte[] data) throws Exception {
        byte[] tuple = pack(p -> {
            p.packArrayHeader(2).packString(typecode);
            p.packBinaryHeader(data.length).writePayload(data);
        });
        byte[] ext = pack(p -> {
            p.packExtensionTypeHeader((byte) 1, 4 + 2 + data.length);
            p.writePayload(new byte[] {0, 0, 0, 2});
            p.packString(typecode);
            p.writePayload(data);
        });
        WireScanner scanner = new WireScanner();
        scanner.reset(tuple);
        int[] ids = TokenIds.read(scanner, "ids");
        scanner.reset(ext);
        assertThat(TokenIds.read(scanner, "ids")).containsExactly(ids);
        assertThat(scanner.atEnd()).isTrue();
        return ids;
    }

    @Test
    void shouldHalveTheBytesOfIdsBetweenJavaPeers() {
        TokenizedGenerateReqInput request =
                TokenizedGenerateReqInput.of("r", null, new int[1000], SamplingParams.greedy(8), true);
        int wide = new MessageCodec(IntArrayForm.INT64).encode(request).length;
        int narrow = codec.encode(request).length;
        assertThat(wide - narrow).isEqualTo(4000);
    }

    private void assertKind(byte[] frame, Kind kind) {
        assertThatThrownBy(() -> codec.decode(frame))
                .isInstanceOfSatisfying(
                        CodecException.class, e -> assertThat(e.kind()).isEqualTo(kind));
    }

    interface Packing {
        void to(MessageBufferPacker packer) throws IOException;
    }

    static byte[] pack(Packing packing) throws IOException {
        try (MessageBufferPacker packer = MessagePack.newDefaultBufferPacker()) {
            packing.to(packer);
            return packer.toByteArray();
        }
    }
}
