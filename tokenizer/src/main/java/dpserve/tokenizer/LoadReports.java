package dpserve.tokenizer;

import dpserve.io.LoadReport;
import dpserve.io.message.GetLoadReqOutput;
import dpserve.io.message.WatchLoadUpdateReq;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Carries the ranks' loads to the controller, along one of the paths of {@code --load-report}. Loads that come with outputs leave
 * at once while the worker has nothing else to do; of those that wait together the newest of each rank leaves, all in one
 * message: all counts in a load are cumulative, so the others would say nothing more.
 */
public final class LoadReports {
    /** SGLang's load_watch_interval. */
    public static final double DEFAULT_WATCH_INTERVAL_S = 0.1;

    /** With a small time scale the polling would take over the machine. */
    public static final long MIN_WATCH_INTERVAL_NS = 5_000_000L;

    /** A worker with so much to do that its queue is not empty for so long sends in between: a load must not grow old here. */
    static final long MAX_WAIT_NS = 1_000_000L;

    private final ManagerOutput output;
    private final Consumer<Runnable> loop;
    private final long watchIntervalNs;
    private final boolean polls;
    private LoadReport path;
    private boolean asking;
    private long askNs;
    private long sent;

    /** The newest of each rank that is still to be sent, by dp_rank. */
    private final Map<Integer, GetLoadReqOutput> waiting = new LinkedHashMap<>();

    private boolean scheduled;
    private long sinceNs;

    /**
     * @param polls whether this worker is the one that polls with {@link LoadReport#WATCH}
     * @param loop runs a task behind those that wait already, on the caller's thread
     */
    public LoadReports(
            LoadReport path, boolean polls, long watchIntervalNs, ManagerOutput output, Consumer<Runnable> loop) {
        this.path = path;
        this.polls = polls;
        this.watchIntervalNs = Math.max(MIN_WATCH_INTERVAL_NS, watchIntervalNs);
        this.output = output;
        this.loop = loop;
    }

    /** A load that came with an output batch, or null. */
    public void onPiggybacked(GetLoadReqOutput load, long nowNs) {
        if (load == null || path != LoadReport.PIGGYBACK) {
            return;
        }
        GetLoadReqOutput other = waiting.get(load.dpRank());
        if (other != null && other.incarnation() != load.incarnation()) {
            sendWaiting();
            other = null;
        }
        // Batches of one rank may come through several detokenizers, and overtake one another.
        if (other == null || load.seq() == GetLoadReqOutput.NO_SEQ || load.seq() > other.seq()) {
            waiting.put(load.dpRank(), load);
        }
        if (!scheduled) {
            scheduled = true;
            sinceNs = nowNs;
            loop.accept(this::flush);
        } else if (nowNs - sinceNs >= MAX_WAIT_NS) {
            sinceNs = nowNs;
            sendWaiting();
        }
    }

    private void flush() {
        scheduled = false;
        sendWaiting();
    }

    private void sendWaiting() {
        if (!waiting.isEmpty()) {
            send(List.copyOf(waiting.values()));
            waiting.clear();
        }
    }

    /** Whether it is time to ask all ranks; the answers go to {@link #onPolled}. */
    public boolean shouldPoll(long nowNs) {
        if (path != LoadReport.WATCH || !polls || asking || nowNs - askNs < 0) {
            return false;
        }
        asking = true;
        askNs = nowNs + watchIntervalNs;
        return true;
    }

    /** The answers of one round. */
    public void onPolled(List<GetLoadReqOutput> loads) {
        asking = false;
        if (!loads.isEmpty() && path == LoadReport.WATCH) {
            send(loads);
        }
    }

    private void send(List<GetLoadReqOutput> loads) {
        sent++;
        output.toController(new WatchLoadUpdateReq(null, null, loads));
    }

    /** Another path from now on. */
    public void use(LoadReport newPath) {
        path = newPath;
    }

    /** The path in use. */
    public LoadReport path() {
        return path;
    }

    /** Updates sent so far. */
    public long sent() {
        return sent;
    }
}
