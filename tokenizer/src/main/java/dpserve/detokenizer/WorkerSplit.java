package dpserve.detokenizer;

import dpserve.io.message.BatchStrOutput;
import dpserve.io.message.BatchTokenIDOutput;
import dpserve.io.message.FinishReason;
import dpserve.io.message.GetLoadReqOutput;
import dpserve.io.message.Stamps;
import dpserve.io.model.NextToken;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.ObjIntConsumer;

/**
 * Splits a batch's text over the tokenizer workers that own its requests, one message for each worker, requests in the
 * batch's order. The rank's load rides on exactly one of them: the first; where no request is left, on an empty message
 * to worker 0, so that no report is lost and none counts twice.
 *
 * <p>Pure; for one thread.
 */
public final class WorkerSplit {
    private static final int NOBODY = -1;

    private final Map<String, Integer> workerOf = new HashMap<>();
    private final int workers;
    private final BiConsumer<String, String> notice;

    /**
     * @param endpoints the PULL endpoint of each tokenizer worker; only these are ever sent to
     * @param notice told of requests that cannot be delivered, as in {@link Detokenizer}
     */
    public WorkerSplit(List<String> endpoints, BiConsumer<String, String> notice) {
        for (int worker = 0; worker < endpoints.size(); worker++) {
            workerOf.put(endpoints.get(worker), worker);
        }
        this.workers = endpoints.size();
        this.notice = notice;
    }

    /**
     * The worker that listens on an endpoint.
     *
     * @param httpWorkerIpc null, from a peer that knows one worker only, means that one
     * @return -1 for an endpoint that was not configured; it is counted
     */
    public int worker(String httpWorkerIpc) {
        if (httpWorkerIpc == null) {
            if (workers == 1) {
                return 0;
            }
            notice.accept("no_worker_endpoint", "a request without http_worker_ipc, and several workers");
            return NOBODY;
        }
        Integer worker = workerOf.get(httpWorkerIpc);
        if (worker == null) {
            notice.accept("unknown_worker_endpoint", httpWorkerIpc);
            return NOBODY;
        }
        return worker;
    }

    /**
     * @param texts of the requests, as {@link Detokenizer#decode} gives them: null discards a request
     * @param nowS seconds since the epoch, the stamp of requests that end here
     * @param out called with each message and the number of its worker
     */
    public void split(BatchTokenIDOutput batch, String[] texts, double nowS, ObjIntConsumer<BatchStrOutput> out) {
        int[] owner = new int[texts.length];
        int[] count = new int[workers];
        for (int i = 0; i < owner.length; i++) {
            owner[i] = texts[i] == null ? NOBODY : worker(ipc(batch, i));
            if (owner[i] != NOBODY) {
                count[owner[i]]++;
            }
        }
        GetLoadReqOutput load = batch.load();
        int[] row = new int[owner.length];
        for (int i = 0; i < owner.length; i++) {
            int worker = owner[i];
            if (worker == NOBODY || count[worker] == 0) {
                continue; // nobody's, or sent with an earlier request of the same worker
            }
            int size = 0;
            for (int k = i; k < owner.length; k++) {
                if (owner[k] == worker) {
                    row[size++] = k;
                }
            }
            count[worker] = 0;
            out.accept(part(batch, texts, Arrays.copyOf(row, size), load, nowS), worker);
            load = null;
        }
        if (load != null) {
            out.accept(part(batch, texts, new int[0], load, nowS), 0);
        }
    }

    private static String ipc(BatchTokenIDOutput batch, int i) {
        return batch.httpWorkerIpcs() == null ? null : batch.httpWorkerIpcs()[i];
    }

    private static BatchStrOutput part(
            BatchTokenIDOutput batch, String[] texts, int[] rows, GetLoadReqOutput load, double nowS) {
        int size = rows.length;
        String[] rids = new String[size];
        String[] ipcs = new String[size];
        FinishReason[] finished = new FinishReason[size];
        String[] strs = new String[size];
        int[][] outputIds = new int[size][];
        Integer[] dpRanks = batch.dpRanks() == null ? null : new Integer[size];
        for (int k = 0; k < size; k++) {
            int i = rows[k];
            rids[k] = batch.rids()[i];
            ipcs[k] = ipc(batch, i);
            finished[k] = batch.finishedReasons()[i];
            strs[k] = texts[i];
            int[] ids = batch.outputIds() == null ? null : batch.outputIds()[i];
            outputIds[k] = ids == null ? new int[0] : ids;
            if (dpRanks != null) {
                dpRanks[k] = batch.dpRanks()[i];
            }
        }
        return new BatchStrOutput(
                rids,
                ipcs,
                finished,
                strs,
                outputIds,
                pick(batch.promptTokens(), rows),
                pick(batch.completionTokens(), rows),
                pick(batch.reasoningTokens(), rows),
                pick(batch.cachedTokens(), rows),
                pick(batch.retractionCounts(), rows),
                dpRanks,
                load,
                stamps(batch.stamps(), rows, nowS),
                logprobs(batch.logprobs(), rows));
    }

    private static NextToken[][] logprobs(NextToken[][] column, int[] rows) {
        return column == null
                ? null
                : Arrays.stream(rows).mapToObj(i -> column[i]).toArray(NextToken[][]::new);
    }

    private static double[][] stamps(double[][] column, int[] rows, double nowS) {
        if (column == null) {
            return null;
        }
        double[][] picked = new double[rows.length][];
        for (int k = 0; k < rows.length; k++) {
            picked[k] = column[rows[k]];
            if (picked[k] != null) {
                picked[k][Stamps.DETOKENIZED] = nowS;
            }
        }
        return picked;
    }

    /** A column that the sender left out is all 0: the tokenizer reads every one of these for every request. */
    private static int[] pick(int[] column, int[] rows) {
        int[] picked = new int[rows.length];
        if (column != null) {
            for (int k = 0; k < rows.length; k++) {
                picked[k] = column[rows[k]];
            }
        }
        return picked;
    }
}
