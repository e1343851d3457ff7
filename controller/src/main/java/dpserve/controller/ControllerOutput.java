package dpserve.controller;

import dpserve.io.message.Message;

/**
 * What the controller does to the world. Called on the controller's thread; every method returns at once.
 *
 * <p>One connection per peer, so messages to a peer arrive in the order of the calls.
 */
public interface ControllerOutput {

    /**
     * Opens a fresh connection to an incarnation's input, replacing the rank's former one.
     *
     * @return false if the endpoint cannot be connected to
     */
    boolean connectRank(int dpRank, String inputEndpoint);

    /** Closes a rank's connection; what is queued in it is thrown away. */
    void closeRank(int dpRank);

    /**
     * Sends a frame as it is.
     *
     * @param frame handed over: nobody changes it afterwards
     * @return false if the rank's queue is full or there is no connection; the frame was not taken
     */
    boolean toRank(int dpRank, byte[] frame);

    /** As the other {@code toRank}, for a message of the controller's own. */
    boolean toRank(int dpRank, Message message);

    /** Sends one message to an input that has no connection here, over a connection made and closed for it. */
    void toInput(String inputEndpoint, Message message);

    /**
     * Opens a fresh connection to a tokenizer worker, replacing the former one with what is queued in it.
     *
     * @return false if the endpoint cannot be connected to
     */
    boolean connectWorker(int worker, String pullEndpoint);

    /**
     * Sends to a tokenizer worker.
     *
     * @return false if its queue is full or there is no connection; the message was not taken
     */
    boolean toWorker(int worker, Message message);

    /** As the other {@code toWorker}, for a frame that is forwarded as it is. */
    boolean toWorker(int worker, byte[] frame);
}
