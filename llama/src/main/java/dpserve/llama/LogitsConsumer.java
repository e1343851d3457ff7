package dpserve.llama;

/** Receives the logits of a step. */
public interface LogitsConsumer {
    /**
     * @param entry number of the addition that asked for them, from 0
     * @param logits one per token id, for the token after the last one added. Used again for the next entry: copy what is
     *     to be kept; may be changed
     */
    void accept(int entry, float[] logits);
}
