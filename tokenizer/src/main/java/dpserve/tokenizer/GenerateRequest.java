package dpserve.tokenizer;

import java.util.List;

/**
 * What one HTTP request asks for.
 *
 * @param sequences in the order of the reply: prompt by prompt, the n samples of each together
 * @param prompts number of prompts; {@code sequences.size() / prompts} samples of each
 * @param batch whether the reply is a list
 */
public record GenerateRequest(List<SequenceSpec> sequences, int prompts, boolean batch, boolean stream) {

    /** Samples of each prompt. */
    public int samples() {
        return sequences.size() / prompts;
    }
}
