package dpserve.tokenizer;

import dpserve.io.message.Message;

/** Where the manager's messages go. Both calls keep their order. */
public interface ManagerOutput {
    /**
     * Into the request stream to the controller.
     *
     * @return false if the stream's queue is full or nobody is connected; the message is not sent
     */
    boolean toController(Message message);

    /** To every detokenizer. */
    void toDetokenizers(Message message);
}
