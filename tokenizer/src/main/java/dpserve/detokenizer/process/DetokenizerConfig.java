package dpserve.detokenizer.process;

import dpserve.io.Endpoints;
import dpserve.io.codec.IntArrayForm;

/**
 * What a detokenizer process is given.
 *
 * @param index which of the topology's detokenizers
 * @param endpoints where it and its peers listen
 * @param maxStates requests whose text is under way, at most
 * @param tokenIdForm how output ids are written towards the tokenizer workers
 * @param incarnation of this process
 * @param maxWaitingBytes of output that tokenizer workers have not taken yet, at most
 */
record DetokenizerConfig(
        int index,
        Endpoints endpoints,
        int maxStates,
        IntArrayForm tokenIdForm,
        long incarnation,
        long maxWaitingBytes) {
    String endpoint() {
        return endpoints.detokenizer().get(index);
    }
}
