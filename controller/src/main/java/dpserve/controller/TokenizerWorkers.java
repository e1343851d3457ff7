package dpserve.controller;

import dpserve.io.Endpoints;
import dpserve.io.LogLimiter;
import dpserve.io.message.Hello;
import dpserve.io.message.Message;
import java.util.ArrayList;
import java.util.List;

/**
 * The tokenizer workers: where each listens, which incarnation it is, and one ordered stream of notices to it. A worker
 * that said hello is a Java peer; one that never did (SGLang's own) gets only messages its release knows.
 */
final class TokenizerWorkers {

    /** One worker. */
    static final class Worker {
        final int index;

        /** Where it listens, as configured or announced; null while unknown. */
        String pullEndpoint;

        /** 0 until it said hello. */
        long incarnation;

        private boolean connected;

        private Worker(int index, String pullEndpoint) {
            this.index = index;
            this.pullEndpoint = pullEndpoint;
        }

        boolean saidHello() {
            return incarnation != 0;
        }
    }

    /** What a hello meant. */
    enum Greeting {
        /** Nothing new, or an older incarnation's. */
        KNOWN,
        /** The worker's first, or its first after a restart: it has a fresh connection now. */
        NEW,
        /** Not usable; counted. */
        REJECTED
    }

    private final ControllerOutput out;
    private final Counters counters;
    private final LogLimiter limiter;
    private final List<Worker> workers = new ArrayList<>();

    TokenizerWorkers(List<String> pullEndpoints, ControllerOutput out, Counters counters, LogLimiter limiter) {
        this.out = out;
        this.counters = counters;
        this.limiter = limiter;
        for (String endpoint : pullEndpoints) {
            workers.add(new Worker(workers.size(), endpoint));
        }
    }

    /** A tokenizer worker named itself, on whatever path. */
    Greeting hello(Hello hello) {
        if (hello.index() < 0 || hello.index() >= Endpoints.MAX_TOKENIZERS || hello.incarnation() <= 0) {
            limiter.warn("bad_hello", "tokenizer worker number or incarnation out of range");
            return Greeting.REJECTED;
        }
        while (workers.size() <= hello.index()) {
            workers.add(new Worker(workers.size(), null));
        }
        Worker worker = workers.get(hello.index());
        if (hello.incarnation() <= worker.incarnation) {
            return Greeting.KNOWN;
        }
        String endpoint = hello.endpoints().getOrDefault(Hello.PULL, worker.pullEndpoint);
        worker.incarnation = hello.incarnation();
        worker.pullEndpoint = endpoint;
        connect(worker);
        return Greeting.NEW;
    }

    private void connect(Worker worker) {
        worker.connected = worker.pullEndpoint != null && out.connectWorker(worker.index, worker.pullEndpoint);
        if (!worker.connected) {
            limiter.warn("bad_hello", "tokenizer worker " + worker.index + " has no usable PULL endpoint");
        }
    }

    /** The worker, or null. */
    Worker get(int index) {
        return index >= 0 && index < workers.size() ? workers.get(index) : null;
    }

    /** The worker with this PULL endpoint, or null: nothing is ever sent to an endpoint that nobody announced. */
    Worker byEndpoint(String httpWorkerIpc) {
        for (Worker w : workers) {
            if (httpWorkerIpc != null && httpWorkerIpc.equals(w.pullEndpoint)) {
                return w;
            }
        }
        return null;
    }

    /** The number of the worker with this incarnation, or {@link RidMap#NO_WORKER}. */
    int byIncarnation(long incarnation) {
        for (Worker w : workers) {
            if (w.incarnation == incarnation && w.saidHello()) {
                return w.index;
            }
        }
        return RidMap.NO_WORKER;
    }

    List<Worker> all() {
        return workers;
    }

    /** To every worker that said hello. */
    void tellAll(Message message) {
        for (Worker w : workers) {
            if (w.saidHello()) {
                tell(w.index, message);
            }
        }
    }

    /** To one worker; lost and counted if it cannot be reached. */
    void tell(int index, Message message) {
        Worker worker = reachable(index);
        if (worker == null || !out.toWorker(index, message)) {
            counters.add(Count.WORKER_SEND_FAILED);
        }
    }

    /** As {@link #tell}, for a frame forwarded as it is. */
    void forward(int index, byte[] frame) {
        Worker worker = reachable(index);
        if (worker == null || !out.toWorker(index, frame)) {
            counters.add(Count.WORKER_SEND_FAILED);
        }
    }

    /** A configured worker that never says hello is connected to when something has to be said to it. */
    private Worker reachable(int index) {
        Worker worker = get(index);
        if (worker != null && !worker.connected && worker.pullEndpoint != null) {
            connect(worker);
        }
        return worker != null && worker.connected ? worker : null;
    }
}
