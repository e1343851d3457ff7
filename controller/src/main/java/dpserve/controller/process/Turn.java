package dpserve.controller.process;

import java.util.concurrent.locks.ReentrantLock;

/**
 * Whose turn it is to use the controller and its sockets: the controller's thread's, or that of a reader which has something for it.
 * So a message is dealt with by the thread that received it, and nobody is woken for it.
 *
 * <p>What is in the inbox's two lanes that overtake requests is dealt with by whoever has the turn, first thing, and again
 * before it is over: {@link #serve} puts nobody to sleep, however long another's turn is.
 */
final class Turn {
    private final ReentrantLock lock = new ReentrantLock();
    private final Inbox inbox;
    private final Runnable urgent;
    private final Runnable flush;

    /**
     * @param urgent deals with what waits in the lanes that overtake
     * @param flush hands over what was sent in a turn, at its end
     */
    Turn(Inbox inbox, Runnable urgent, Runnable flush) {
        this.inbox = inbox;
        this.urgent = urgent;
        this.flush = flush;
    }

    /** For the controller's thread: waits until nobody else is in it. */
    void enter() {
        lock.lock();
        dealWithUrgent();
    }

    /** For the reader of a stream: false if somebody else is in it or stream items wait, which must go first. */
    boolean tryEnter() {
        if (!lock.tryLock()) {
            return false;
        }
        if (inbox.streamsWait()) {
            leave();
            return false;
        }
        dealWithUrgent();
        return true;
    }

    void leave() {
        end();
        serve();
    }

    /** Sees to it that what was just put in the inbox's urgent lanes is dealt with, here or by whoever has the turn. */
    void serve() {
        while (inbox.urgentWaits() && lock.tryLock()) {
            try {
                dealWithUrgent();
            } finally {
                end();
            }
        }
    }

    private void end() {
        try {
            flush.run();
        } finally {
            lock.unlock();
        }
    }

    /** Within a turn: what overtakes must not wait for its end if the thread that has it was put aside for milliseconds. */
    void dealWithUrgent() {
        if (inbox.urgentWaits()) {
            urgent.run();
        }
    }
}
