package dpserve.bench.sim;

/** Something that does one thing after the other: what arrives while it is busy waits its turn. */
final class ServiceLine {
    private long busyUntilNs;

    /** How long after its arrival a thing of this cost is done, nanoseconds. Arrivals must come in order of time. */
    long doneAfterNs(long arrivalNs, long costNs) {
        busyUntilNs = Math.max(busyUntilNs, arrivalNs) + costNs;
        return busyUntilNs - arrivalNs;
    }
}
