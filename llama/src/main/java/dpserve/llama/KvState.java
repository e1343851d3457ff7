package dpserve.llama;

import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A sequence's KV as bytes, in llama.cpp's own form (llama_state_seq_get_data): how many cells, each cell's position, then
 * keys and values layer by layer. Only the same build with the same model can read it.
 */
final class KvState {
    /** A cell's position, and the number of sequences it names: none, if it is written for one. */
    private static final int CELL_BYTES = 2 * Integer.BYTES;

    private final LlamaLibrary library;
    private final Pointer context;

    KvState(LlamaLibrary library, Pointer context) {
        this.library = library;
        this.context = context;
    }

    /** Bytes of the sequence's KV. */
    long size(int sequence) {
        return library.llama_state_seq_get_size(context, sequence);
    }

    byte[] read(int sequence) {
        byte[] bytes = new byte[Math.toIntExact(size(sequence))];
        long written = library.llama_state_seq_get_data(context, bytes, bytes.length, sequence);
        if (written != bytes.length) {
            throw new LlamaException("llama_state_seq_get_data gave " + written + " of " + bytes.length + " bytes");
        }
        return bytes;
    }

    /** Whether these bytes say that they are the cells of positions 0 to {@code length}. */
    static boolean isOf(byte[] bytes, int length) {
        if (bytes.length < Integer.BYTES + (long) CELL_BYTES * length) {
            return false;
        }
        ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
        boolean fits = in.getInt() == length;
        for (int i = 0; fits && i < length; i++) {
            fits = in.getInt() == i && in.getInt() == 0;
        }
        return fits;
    }

    /** Replaces the sequence's KV; false, and the sequence is empty, if no run of free cells is as long. */
    boolean write(int sequence, byte[] bytes) {
        library.log().take();
        return library.llama_state_seq_set_data(context, bytes, bytes.length, sequence) == bytes.length;
    }
}
