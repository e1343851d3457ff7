package dpserve.io.codec;

import dpserve.io.message.GetLoadReqOutput;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Which report a WatchLoadUpdateReq with one load is, read from its bytes: enough to tell that another one of the same batch is
 * newer. Reused for frame after frame by one thread; the getters speak of the newest {@link #read} that returned true.
 */
public final class ReportFrame {
    /** {@code ["WatchLoadUpdateReq", nil, nil, [ [} up to the header of the load, which tells whether it has an extension. */
    private static final byte[] UPDATE_HEAD =
            bytes("\u0094\u00b2" + LoadCodec.WATCH_LOAD_UPDATE + "\u00c0\u00c0\u0091");

    /** {@code "GetLoadReqOutput", nil, nil} */
    private static final byte[] LOAD_HEAD = bytes("\u00b0" + LoadCodec.LOAD + "\u00c0\u00c0");

    /** {@code ["DpserveExt", } */
    private static final byte[] EXT_HEAD = bytes("\u0092\u00aa" + ExtKeys.TAG);

    private static final int LOAD_AT = UPDATE_HEAD.length + 1;
    private static final byte LEGACY = (byte) 0x98;
    private static final byte EXTENDED = (byte) 0x99;

    private final WireScanner in = new WireScanner();
    private int dpRank;
    private long incarnation;
    private long seq;

    private static byte[] bytes(String chars) {
        return chars.getBytes(StandardCharsets.ISO_8859_1);
    }

    /**
     * Reads a frame of any kind.
     *
     * @return false unless it is a report written as this project or PR #11469 writes it; it may still be one in another form,
     *     or damaged behind what is read here
     */
    public boolean read(byte[] frame) {
        int loadEnd = LOAD_AT + LOAD_HEAD.length;
        if (frame.length <= loadEnd
                || frame[UPDATE_HEAD.length] != EXTENDED && frame[UPDATE_HEAD.length] != LEGACY
                || !Arrays.equals(frame, LOAD_AT, loadEnd, LOAD_HEAD, 0, LOAD_HEAD.length)
                || !Arrays.equals(frame, 0, UPDATE_HEAD.length, UPDATE_HEAD, 0, UPDATE_HEAD.length)) {
            return false;
        }
        try {
            in.reset(frame, loadEnd, frame.length);
            dpRank = in.int32("dp_rank");
            incarnation = 0;
            seq = GetLoadReqOutput.NO_SEQ;
            return dpRank >= 0 && (frame[UPDATE_HEAD.length] == LEGACY || readExt(frame));
        } catch (CodecException e) {
            return false; // whoever reads it wholly names the fault
        }
    }

    private boolean readExt(byte[] frame) throws CodecException {
        in.int32("num_reqs");
        in.int32("num_waiting_reqs");
        in.int32("num_tokens");
        in.number("ts_tic");
        int at = in.position();
        if (frame.length - at < EXT_HEAD.length
                || !Arrays.equals(frame, at, at + EXT_HEAD.length, EXT_HEAD, 0, EXT_HEAD.length)) {
            return false;
        }
        in.advance(EXT_HEAD.length);
        if (in.map(ExtKeys.TAG) < 2 || in.integer("extension key") != ExtKeys.INCARNATION) {
            return false;
        }
        incarnation = in.integer("incarnation");
        if (in.integer("extension key") != ExtKeys.SEQ) {
            return false;
        }
        seq = in.integer("seq");
        return seq >= 0;
    }

    /** The rank it is of. */
    public int dpRank() {
        return dpRank;
    }

    /** The rank's incarnation; 0 without a number. */
    public long incarnation() {
        return incarnation;
    }

    /** Its number, or {@link GetLoadReqOutput#NO_SEQ}. */
    public long seq() {
        return seq;
    }
}
