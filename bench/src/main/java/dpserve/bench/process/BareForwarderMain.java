package dpserve.bench.process;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.zeromq.SocketType;
import org.zeromq.ZContext;
import org.zeromq.ZMQ;

/**
 * The least that a forwarder on JeroMQ can do, to compare the controller with: reads the tag, sends the same bytes to the
 * rank with the fewest tokens, takes reports; one thread besides JeroMQ's own. No rid map, no checks, no queues of its own.
 * Arguments: the input's endpoint, then one endpoint for each rank. For scripts/bench-controller.sh.
 */
public final class BareForwarderMain {
    private static final int BUFFER_BYTES = 1 << 20;
    private static final int REPORT_TAG = 0xa0 | "WatchLoadUpdateReq".length();

    private final ZMQ.Socket[] ranks;
    private final long[] tokens;

    private BareForwarderMain(ZContext context, String[] endpoints) {
        tokens = new long[endpoints.length];
        ranks = new ZMQ.Socket[endpoints.length];
        for (int r = 0; r < ranks.length; r++) {
            ranks[r] = context.createSocket(SocketType.PUSH);
            ranks[r].setSndHWM(0);
            ranks[r].bind(endpoints[r]);
            ranks[r].setSendBufferSize(BUFFER_BYTES); // JeroMQ throws if a socket that has one binds
        }
    }

    public static void main(String[] args) {
        try (ZContext context = new ZContext()) {
            String[] endpoints = Arrays.copyOfRange(args, 1, args.length);
            BareForwarderMain forwarder = new BareForwarderMain(context, endpoints);
            ZMQ.Socket input = context.createSocket(SocketType.PULL);
            input.setRcvHWM(0);
            input.setReceiveBufferSize(BUFFER_BYTES);
            input.connect(args[0]);
            System.out.println("READY bare forwarder");
            for (byte[] frame = input.recv(); frame != null; frame = input.recv()) {
                forwarder.take(ByteBuffer.wrap(frame));
            }
        }
    }

    private void take(ByteBuffer in) {
        in.position((in.get(0) & 0xff) == 0xdc ? 3 : 1);
        int tag = in.get(in.position()) & 0xff;
        skip(in);
        if (tag == REPORT_TAG) {
            takeReport(in);
            return;
        }
        int best = 0;
        for (int r = 1; r < tokens.length; r++) {
            best = tokens[r] < tokens[best] ? r : best;
        }
        tokens[best] += promptTokens(in);
        ranks[best].send(in.array(), ZMQ.DONTWAIT);
    }

    private static int promptTokens(ByteBuffer in) {
        skip(in);
        skip(in);
        skip(in);
        if ((in.get() & 0xff) != 0x92) {
            return 0;
        }
        in.get();
        int width = in.get() == 'q' ? Long.BYTES : Integer.BYTES;
        int header = in.get() & 0xff;
        int bytes = header == 0xc4 ? in.get() & 0xff : header == 0xc5 ? in.getShort() & 0xffff : in.getInt();
        return bytes / width;
    }

    private void takeReport(ByteBuffer in) {
        skip(in);
        skip(in);
        for (int loads = in.get() & 0x0f; loads > 0; loads--) {
            in.get();
            skip(in);
            skip(in);
            skip(in);
            int rank = integer(in);
            integer(in);
            integer(in);
            tokens[rank] = integer(in);
            in.position(in.position() + 1 + Double.BYTES);
        }
    }

    private static int integer(ByteBuffer in) {
        int b = in.get() & 0xff;
        return switch (b) {
            case 0xcc -> in.get() & 0xff;
            case 0xcd -> in.getShort() & 0xffff;
            case 0xce -> in.getInt();
            default -> b;
        };
    }

    /** Passes over a text or nil. */
    private static void skip(ByteBuffer in) {
        int b = in.get() & 0xff;
        int length =
                (b & 0xe0) == 0xa0 ? b & 0x1f : b == 0xd9 ? in.get() & 0xff : b == 0xda ? in.getShort() & 0xffff : 0;
        in.position(in.position() + length);
    }
}
