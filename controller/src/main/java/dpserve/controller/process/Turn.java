package dpserve.controller.process;

import java.util.concurrent.locks.ReentrantLock;

/**
 * Whose turn it is to use the controller and its sockets. Normally that of the controller's thread, which takes what waits
 * in the inbox. A reader may take a turn instead while nothing waits there: so at a moderate load a message is dealt with by the
 * thread that received it, without waking another. The order of a stream is kept, because what waits goes first.
 */
final class Turn {
    private final ReentrantLock lock = new ReentrantLock();
    private final Inbox inbox;

    Turn(Inbox inbox) {
        this.inbox = inbox;
    }

    /** For the controller's thread: waits until nobody else is in it. */
    void enter() {
        lock.lock();
    }

    /** For a reader: false if somebody else is in it or messages wait. */
    boolean tryEnter() {
        if (!lock.tryLock()) {
            return false;
        }
        if (inbox.isEmpty()) {
            return true;
        }
        lock.unlock();
        return false;
    }

    void leave() {
        lock.unlock();
    }
}
