package dpserve.io.codec;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The rids of an EndNotice where they lie in its frame: a controller ends as many attempts as it forwards requests, and needs no
 * text for any. The frame must not change while this is used.
 */
public final class EndedRids {
    private static final byte[] HEAD = {(byte) 0x94, (byte) (0xa0 | TopologyCodec.END_NOTICE.length())};
    /** Longer ones are read as any message is: the bounds of very many rids would take several times the frame. */
    private static final int MAX_BYTES = 1 << 20;

    private static final byte[] TAG = TopologyCodec.END_NOTICE.getBytes(StandardCharsets.US_ASCII);

    private final byte[] frame;
    private final int[] bounds;

    private EndedRids(byte[] frame, int[] bounds) {
        this.frame = frame;
        this.bounds = bounds;
    }

    /** Whether a frame begins as this project writes an EndNotice; another form of one is read as any message is. */
    public static boolean matches(byte[] frame) {
        int tagEnd = HEAD.length + TAG.length;
        return frame.length > tagEnd
                && frame.length <= MAX_BYTES
                && Arrays.equals(frame, 0, HEAD.length, HEAD, 0, HEAD.length)
                && Arrays.equals(frame, HEAD.length, tagEnd, TAG, 0, TAG.length);
    }

    /**
     * Finds the rids of a frame that {@link #matches}.
     *
     * @throws CodecException as for any message
     */
    public static EndedRids read(byte[] frame) throws CodecException {
        WireScanner in = new WireScanner();
        in.reset(frame);
        int length = in.array("message");
        in.advance(1 + TAG.length);
        StructReader s = new StructReader(in, TopologyCodec.END_NOTICE, length, 1, 4);
        s.to(3);
        int[] bounds = new int[2 * in.array("rids")];
        for (int i = 0; i < bounds.length; i += 2) {
            int bytes = in.textHeader("rids");
            bounds[i] = in.position();
            bounds[i + 1] = in.position() + bytes;
            in.advance(bytes);
        }
        s.finish();
        return new EndedRids(frame, bounds);
    }

    /** How many. */
    public int count() {
        return bounds.length / 2;
    }

    /** A rid where it lies; what is not UTF-8 is not checked for. */
    public TextSpan rid(int index) {
        return new TextSpan(frame, bounds[2 * index], bounds[2 * index + 1]);
    }
}
