package dpserve.scheduler;

/** Numbers for the requests that hold KV, as SGLang's req_pool_idx: 0 to capacity - 1, lowest free first at the start. */
final class RequestSlots {
    private final int[] free;
    private int count;

    RequestSlots(int capacity) {
        free = new int[capacity];
        for (int i = 0; i < capacity; i++) {
            free[i] = capacity - 1 - i;
        }
        count = capacity;
    }

    int inUse() {
        return free.length - count;
    }

    boolean isFull() {
        return count == 0;
    }

    void take(Request r) {
        r.slot = free[--count];
    }

    void giveBack(Request r) {
        free[count++] = r.slot;
        r.slot = Request.NO_SLOT;
    }
}
