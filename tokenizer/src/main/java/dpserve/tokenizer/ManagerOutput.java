package dpserve.tokenizer;

import dpserve.io.message.Message;

/** Where the manager's messages go. Messages keep their order. */
public interface ManagerOutput {
    /**
     * Into the request stream to the controller.
     *
     * @return false if the stream's queue is full or nobody is connected; the message is not sent
     */
    boolean toController(Message message);

    /** Whether a controller is connected to the request stream. */
    default boolean hasController() {
        return true;
    }

    /** To every detokenizer. */
    void toDetokenizers(Message message);
}
