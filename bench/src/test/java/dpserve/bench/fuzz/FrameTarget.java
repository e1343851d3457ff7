package dpserve.bench.fuzz;

import dpserve.io.codec.CodecException;
import dpserve.io.codec.IntArrayForm;
import dpserve.io.codec.MessageCodec;
import dpserve.io.codec.RequestHeader;
import dpserve.io.message.Message;
import java.util.Arrays;

/** What every decoder of frames must bear: any bytes. For Jazzer (scripts/dev/fuzz-decoders.sh) and {@link CorpusTest}. */
public final class FrameTarget {
    private FrameTarget() {}

    /** Throws anything but a CodecException only for a defect. */
    public static void fuzzerTestOneInput(byte[] data) {
        MessageCodec codec = new MessageCodec(IntArrayForm.INT32);
        try {
            Message message = codec.decode(data.clone());
            byte[] once = codec.encode(message);
            byte[] twice = codec.encode(codec.decode(once));
            if (!Arrays.equals(once, twice)) {
                throw new IllegalStateException("what was encoded is decoded as something else");
            }
        } catch (CodecException e) {
            // no message
        }
        try {
            RequestHeader header = new RequestHeader();
            String tag = header.peekTag(data);
            if (tag.equals(RequestHeader.BATCH_GENERATE) || tag.equals(RequestHeader.BATCH_EMBEDDING)) {
                header.splitBatch(data);
            } else {
                header.read(data).prefixHashes(data);
            }
        } catch (CodecException e) {
            // no request
        }
    }
}
