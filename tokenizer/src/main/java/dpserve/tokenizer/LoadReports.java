package dpserve.tokenizer;

import dpserve.io.LoadReport;
import dpserve.io.message.GetLoadReqOutput;
import dpserve.io.message.WatchLoadUpdateReq;
import java.util.List;

/** Carries the ranks' loads to the controller, along one of the paths of {@code --load-report}. */
public final class LoadReports {
    /** SGLang's load_watch_interval. */
    public static final double DEFAULT_WATCH_INTERVAL_S = 0.1;

    /** With a small time scale the polling would take over the machine. */
    public static final long MIN_WATCH_INTERVAL_NS = 5_000_000L;

    private final ManagerOutput output;
    private final long watchIntervalNs;
    private final boolean polls;
    private LoadReport path;
    private boolean asking;
    private long askNs;
    private long sent;

    /**
     * @param polls whether this worker is the one that polls with {@link Path#WATCH}
     */
    public LoadReports(LoadReport path, boolean polls, long watchIntervalNs, ManagerOutput output) {
        this.path = path;
        this.polls = polls;
        this.watchIntervalNs = Math.max(MIN_WATCH_INTERVAL_NS, watchIntervalNs);
        this.output = output;
    }

    /** A load that came with an output batch, or null. */
    public void onPiggybacked(GetLoadReqOutput load) {
        if (load != null && path == LoadReport.PIGGYBACK) {
            send(List.of(load));
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
