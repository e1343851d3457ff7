package dpserve.bench.sim;

import dpserve.io.message.AbortReq;
import dpserve.io.message.BatchStrOutput;
import dpserve.io.message.BatchTokenIDOutput;
import dpserve.io.message.ControllerHello;
import dpserve.io.message.FinishReason;
import dpserve.io.message.Message;
import dpserve.io.message.RankDown;
import dpserve.io.message.Refused;
import dpserve.tokenizer.Deadlines;
import dpserve.tokenizer.ManagerCounters;
import dpserve.tokenizer.ManagerOutput;
import dpserve.tokenizer.OnRankFailure;
import dpserve.tokenizer.Recovery;
import dpserve.tokenizer.Resumption;
import dpserve.tokenizer.SequenceListener;
import dpserve.tokenizer.SequenceSpec;
import dpserve.tokenizer.TokenizerManager;
import java.util.Arrays;
import java.util.function.ObjIntConsumer;

/** The production tokenizer managers in virtual time, one for each worker. Text is not simulated: it is always empty. */
final class SimTokenizers {
    private static final int NO_EOS = -1;
    private static final double NS_PER_S = 1e9;

    private final TokenizerManager[] managers;
    private final Recovery[] recoveries;
    private final Count count = new Count();
    private boolean controllerUp;

    /** @param controller where the managers' messages go, at once; it adds the time of the hop */
    SimTokenizers(int workers, OnRankFailure onRankFailure, ObjIntConsumer<Message> controller) {
        managers = new TokenizerManager[workers];
        recoveries = new Recovery[workers];
        for (int w = 0; w < workers; w++) {
            managers[w] = new TokenizerManager(
                    endpoint(w),
                    // A part of every wire rid, which so names its worker.
                    w + 1,
                    new Output(w, controller),
                    count,
                    new Resumption(onRankFailure, NO_EOS),
                    new Deadlines(0),
                    ns -> ns / NS_PER_S);
            recoveries[w] = new Recovery(managers[w], 1);
        }
    }

    /** What a worker calls itself. */
    static String endpoint(int worker) {
        return "tcp://127.0.0.1:" + (worker + 2);
    }

    void submit(int worker, SequenceSpec spec, SequenceListener listener, long nowNs) {
        managers[worker].submit(spec, listener, nowNs, nowNs);
    }

    /** Output that a detokenizer splits among the workers. */
    void onOutput(BatchTokenIDOutput output, long nowNs) {
        if (managers.length == 1) {
            managers[0].onBatch(part(output, null), nowNs);
            return;
        }
        for (int w = 0; w < managers.length; w++) {
            String own = endpoint(w);
            int[] part = new int[output.size()];
            int size = 0;
            for (int i = 0; i < output.size(); i++) {
                if (own.equals(output.httpWorkerIpcs()[i])) {
                    part[size++] = i;
                }
            }
            if (size > 0) {
                managers[w].onBatch(part(output, Arrays.copyOf(part, size)), nowNs);
            }
        }
    }

    /** Some of a batch's outputs, or with null all of them. */
    private static BatchStrOutput part(BatchTokenIDOutput output, int[] which) {
        int size = which == null ? output.size() : which.length;
        String[] texts = new String[size];
        Arrays.fill(texts, "");
        String[] rids = output.rids();
        FinishReason[] reasons = output.finishedReasons();
        int[][] ids = output.outputIds();
        int[] made = output.completionTokens();
        if (which != null) {
            rids = new String[size];
            reasons = new FinishReason[size];
            ids = new int[size][];
            made = new int[size];
            for (int i = 0; i < size; i++) {
                rids[i] = output.rids()[which[i]];
                reasons[i] = output.finishedReasons()[which[i]];
                ids[i] = output.outputIds()[which[i]];
                made[i] = output.completionTokens()[which[i]];
            }
        }
        int[] none = new int[size];
        return new BatchStrOutput(rids, null, reasons, texts, ids, none, made, none, none, none, null, null);
    }

    /** A rank's answer about one request, whose worker it names. */
    void onAnswer(String httpWorkerIpc, AbortReq answer, long nowNs) {
        for (int w = 0; w < managers.length; w++) {
            if (endpoint(w).equals(httpWorkerIpc)) {
                managers[w].onAbortAnswer(answer, nowNs);
            }
        }
    }

    /** A notice of the controller. */
    void onNotice(int worker, Message message, long nowNs) {
        if (message instanceof RankDown down) {
            managers[worker].onRankDown(down, nowNs);
        } else if (message instanceof Refused refused) {
            managers[worker].onRefused(refused, nowNs);
        } else if (message instanceof ControllerHello hello) {
            recoveries[worker].onController(hello);
        } else {
            recoveries[worker].onMessage(message, nowNs);
        }
    }

    /** The controller's process died, or another one has begun. */
    void setController(boolean isUp) {
        controllerUp = isUp;
    }

    void onTick(long nowNs) {
        for (int w = 0; w < managers.length; w++) {
            managers[w].onTick(nowNs);
            recoveries[w].onCaughtUp(nowNs); // nothing waits at a worker here
            recoveries[w].onTick(nowNs);
        }
    }

    /** Sequences that have not ended. */
    int size() {
        return Arrays.stream(managers).mapToInt(TokenizerManager::size).sum();
    }

    /** Outputs for attempts that were over. */
    int afterEnd() {
        return count.unknown;
    }

    /** Attempts that went on where a lost one stood. */
    int resumed() {
        return count.resumed;
    }

    private final class Output implements ManagerOutput {
        private final int worker;
        private final ObjIntConsumer<Message> controller;

        Output(int worker, ObjIntConsumer<Message> controller) {
            this.worker = worker;
            this.controller = controller;
        }

        @Override
        public boolean toController(Message message) {
            if (controllerUp) {
                controller.accept(message, worker);
            }
            return controllerUp;
        }

        @Override
        public boolean hasController() {
            return controllerUp;
        }

        @Override
        public void toDetokenizers(Message message) {
            // Detokenizers are delays here: they hold no state that could be dropped.
        }
    }

    /** The event log and the listeners have the rest. */
    private static final class Count implements ManagerCounters {
        private int unknown;
        private int resumed;

        @Override
        public void unknownRid() {
            unknown++;
        }

        @Override
        public void resumed() {
            resumed++;
        }
    }
}
