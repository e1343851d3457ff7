package dpserve.scheduler;

import dpserve.io.message.Message;

/** Where a rank's messages to the other half of a PD pair go. */
public interface KvOutput {
    /**
     * Sends, or drops and counts: whatever matters is repeated.
     *
     * @param endpoint of a rank or a bootstrap server
     */
    void toPeer(String endpoint, Message message);
}
