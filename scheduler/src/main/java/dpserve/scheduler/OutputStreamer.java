package dpserve.scheduler;

import dpserve.io.message.BatchTokenIDOutput;
import dpserve.io.message.FinishReason;
import dpserve.io.message.GetLoadReqOutput;
import dpserve.io.message.Stamps;
import dpserve.io.model.NextToken;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Says which requests emit after a step, and makes the output batch: one part for each detokenizer that has a request in
 * it, split by crc32 of the wire rid, the load on the first part.
 */
final class OutputStreamer {
    private static final double NS_PER_S = 1e9;

    private final SchedulerConfig config;
    private final SchedulerOutput output;
    private final List<List<Request>> parts = new ArrayList<>();
    private int size;

    OutputStreamer(SchedulerConfig config, SchedulerOutput output) {
        this.config = config;
        this.output = output;
        for (int i = 0; i < config.detokenizers(); i++) {
            parts.add(new ArrayList<>());
        }
    }

    /** Whether a request that goes on has something to emit now. */
    boolean isDue(Request r) {
        int made = r.outputLength();
        boolean due;
        if (r.input().stream()) {
            Integer own = r.params().streamInterval();
            int interval = own == null || own < 1 ? config.streamInterval() : own;
            due = interval == 1 || made % interval == 1;
        } else {
            due = made % config.forceStreamInterval() == 0;
        }
        // A tail that may become a stop string must not be sent before that is known.
        return due && made > r.emittedOutputs && (r.stopStrings == null || !r.stopStrings.endsInside());
    }

    /** Puts everything not yet emitted of this request into the next batch. */
    void add(Request r) {
        parts.get(r.detokenizer()).add(r);
        size++;
    }

    boolean isEmpty() {
        return size == 0;
    }

    /** Sends the batch, which ends now; where it is empty, the load alone. */
    void flush(GetLoadReqOutput load, long nowNs) {
        if (size == 0) {
            output.toDetokenizer(0, part(List.of(), load, nowNs));
            return;
        }
        GetLoadReqOutput onFirst = load;
        for (int i = 0; i < parts.size(); i++) {
            List<Request> requests = parts.get(i);
            if (!requests.isEmpty()) {
                output.toDetokenizer(i, part(requests, onFirst, nowNs));
                onFirst = null;
                requests.clear();
            }
        }
        size = 0;
    }

    private BatchTokenIDOutput part(List<Request> requests, GetLoadReqOutput load, long nowNs) {
        int n = requests.size();
        boolean stamped = false;
        for (Request r : requests) {
            stamped |= isStamped(r);
        }
        BatchTokenIDOutput part = new BatchTokenIDOutput(
                new String[n],
                new String[n],
                new FinishReason[n],
                new String[n],
                new int[n][],
                new int[n],
                new int[n][],
                new boolean[n],
                new boolean[n],
                new boolean[n],
                new int[n],
                new int[n],
                new int[n],
                new int[n],
                new int[n],
                new Integer[n],
                load,
                stamped ? new double[n][] : null,
                requests.stream().anyMatch(OutputStreamer::hasLogprobs) ? new NextToken[n][] : null);
        Arrays.fill(part.decodedTexts(), "");
        Arrays.fill(part.dpRanks(), config.dpRank());
        for (int i = 0; i < n; i++) {
            fill(part, i, requests.get(i), nowNs);
        }
        return part;
    }

    /** Whether there are new ones: one with each new token. */
    private static boolean hasLogprobs(Request r) {
        return r.logprobs.size() > r.emittedOutputs;
    }

    private static void fill(BatchTokenIDOutput part, int i, Request r, long nowNs) {
        int surrounding = Math.min(r.promptLength(), BatchTokenIDOutput.SURROUNDING_TOKENS);
        int unsent = r.inputLength() + r.emittedOutputs;
        int decodeFrom = r.emitted ? unsent : r.promptLength() - surrounding;
        part.rids()[i] = r.rid();
        part.httpWorkerIpcs()[i] = r.input().httpWorkerIpc();
        part.finishedReasons()[i] = r.finishReason;
        part.decodeIds()[i] = Arrays.copyOfRange(r.ids(), decodeFrom, r.length());
        part.readOffsets()[i] = surrounding;
        part.outputIds()[i] = Arrays.copyOfRange(r.ids(), unsent, r.length());
        part.skipSpecialTokens()[i] = r.params().skipSpecialTokens();
        part.spacesBetweenSpecialTokens()[i] = r.params().spacesBetweenSpecialTokens();
        part.noStopTrim()[i] = r.params().noStopTrim();
        part.promptTokens()[i] = r.promptLength();
        part.completionTokens()[i] = r.outputLength();
        part.cachedTokens()[i] = Math.max(0, r.cachedTokens);
        part.retractionCounts()[i] = r.retractions;
        if (isStamped(r)) {
            part.stamps()[i] = stamps(r, nowNs);
        }
        if (hasLogprobs(r)) {
            part.logprobs()[i] =
                    r.logprobs.subList(r.emittedOutputs, r.outputLength()).toArray(NextToken[]::new);
        }
        r.emitted = true;
        r.emittedOutputs = r.outputLength();
    }

    /** The first output tells how the request came so far, the last one everything. */
    private static boolean isStamped(Request r) {
        return !r.emitted || r.isFinished();
    }

    /** {@link Stamps} of a request, its own in seconds of the rank's monotonic clock: the process knows the epoch. */
    private static double[] stamps(Request r, long nowNs) {
        double[] stamps = new double[Stamps.COUNT];
        stamps[Stamps.DISPATCHED] = r.input().dispatchTime();
        stamps[Stamps.RECEIVED] = r.receivedNs / NS_PER_S;
        stamps[Stamps.FIRST_SCHEDULED] = r.firstScheduledNs / NS_PER_S;
        stamps[Stamps.FIRST_TOKEN] = r.firstTokenNs / NS_PER_S;
        stamps[Stamps.FINISHED] = r.isFinished() ? nowNs / NS_PER_S : 0;
        return stamps;
    }
}
