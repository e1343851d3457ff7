package dpserve.scheduler;

import dpserve.io.message.BatchTokenIDOutput;
import dpserve.io.message.Message;

/** Where a {@link Scheduler} puts what it has to say: sockets and a log in a process, events in a simulation. */
public interface SchedulerOutput {
    /** One part of an output batch, or an idle report. */
    void toDetokenizer(int index, BatchTokenIDOutput output);

    /**
     * An answer to a tokenizer worker.
     *
     * @param httpWorkerIpc the worker's PULL endpoint; null from a legacy tokenizer, of which there is only one
     */
    void toTokenizer(String httpWorkerIpc, Message message);

    /** A line for the log, in SGLang's words where it has them; by default nowhere. */
    default void info(String line) {}

    /**
     * Something that should not happen.
     *
     * @param kind from a small fixed set
     * @param detail in words; may hold text of a peer
     */
    void warn(String kind, String detail);
}
