package dpserve.tokenizer.process;

import dpserve.io.message.AbortReq;
import dpserve.io.message.BatchTokenizedGenerateReqInput;
import dpserve.io.message.FlushCacheReqInput;
import dpserve.io.message.GetInternalStateReq;
import dpserve.io.message.Message;
import dpserve.io.message.ShutdownReq;
import dpserve.io.message.TokenizedGenerateReqInput;

/**
 * Which of this worker's peers are SGLang's own processes. A message that their release does not know, or that the role
 * does not take, would end them (docs/interop.md).
 *
 * @param controller the data-parallel controller
 * @param detokenizer the detokenizer, which takes nothing from a tokenizer manager
 */
record SglangPeers(boolean controller, boolean detokenizer) {

    /** Whether a message may go into the request stream. */
    boolean mayGoToController(Message message) {
        return !controller
                || message instanceof TokenizedGenerateReqInput
                || message instanceof BatchTokenizedGenerateReqInput
                || message instanceof AbortReq
                || message instanceof FlushCacheReqInput
                || message instanceof GetInternalStateReq
                || message instanceof ShutdownReq;
    }
}
