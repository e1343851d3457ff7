package dpserve.controller.process;

import dpserve.io.LogLimiter;
import dpserve.io.codec.CodecException;
import dpserve.io.codec.MessageCodec;
import dpserve.io.codec.ReportFrame;
import dpserve.io.message.GetLoadReqOutput;
import dpserve.io.message.WatchLoadUpdateReq;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Reports that one reader found waiting together: of each rank the newest is decoded and goes on, the others are passed over. They
 * would be dropped as not newer or overwritten at once, because all counts in a report are cumulative. So however many come,
 * what they cost is little more than their bytes. Owned by its reader's thread.
 */
final class ReportBatch {
    /** A report waits for no more than so many others: some tens of microseconds, and one in thirty of those of 8 ranks is decoded. */
    private static final int MAX_REPORTS = 256;

    /** Reports of higher ranks are decoded one by one. */
    private static final int MAX_RANKS = 256;

    private final ReportInjection injection;
    private final MessageCodec codec;
    private final LogLimiter limiter;
    private final AtomicLong superseded;

    private final ReportFrame report = new ReportFrame();
    private final byte[][] newest = new byte[MAX_RANKS][];
    private final long[] incarnations = new long[MAX_RANKS];
    private final long[] seqs = new long[MAX_RANKS];
    private final int[] ranks = new int[MAX_RANKS];
    private int rankCount;
    private int taken;
    private int passedOver;

    /** @param superseded counts reports that were passed over; may be shared with other readers */
    ReportBatch(ReportInjection injection, MessageCodec codec, LogLimiter limiter, AtomicLong superseded) {
        this.injection = injection;
        this.codec = codec;
        this.limiter = limiter;
        this.superseded = superseded;
    }

    /** Takes a frame if it is a report that can wait until {@link #flush}; the caller deals with any other. */
    boolean offer(byte[] frame) {
        if (!report.read(frame) || report.dpRank() >= MAX_RANKS || !injection.passesThrough()) {
            return false;
        }
        int rank = report.dpRank();
        boolean known = newest[rank] != null;
        if (known && !isComparable(rank)) {
            flush();
            known = false;
        }
        if (known && report.seq() != GetLoadReqOutput.NO_SEQ && report.seq() <= seqs[rank]) {
            passedOver++;
            return true;
        }
        if (known) {
            passedOver++;
        } else {
            ranks[rankCount++] = rank;
        }
        newest[rank] = frame;
        incarnations[rank] = report.incarnation();
        seqs[rank] = report.seq();
        if (++taken >= MAX_REPORTS) {
            flush();
        }
        return true;
    }

    /** One with a number says nothing about one without, and nothing about another incarnation's. */
    private boolean isComparable(int rank) {
        return report.incarnation() == incarnations[rank]
                && (report.seq() == GetLoadReqOutput.NO_SEQ) == (seqs[rank] == GetLoadReqOutput.NO_SEQ);
    }

    /** Hands on what was taken. */
    void flush() {
        if (rankCount == 0) {
            return;
        }
        List<GetLoadReqOutput> loads = new ArrayList<>(rankCount);
        for (int i = 0; i < rankCount; i++) {
            decode(newest[ranks[i]], loads);
        }
        Arrays.stream(ranks, 0, rankCount).forEach(rank -> newest[rank] = null);
        superseded.addAndGet(passedOver);
        passedOver = 0;
        rankCount = 0;
        taken = 0;
        if (!loads.isEmpty()) {
            injection.add(loads);
        }
    }

    private void decode(byte[] frame, List<GetLoadReqOutput> into) {
        try {
            if (codec.decode(frame) instanceof WatchLoadUpdateReq update) {
                into.addAll(update.loads());
            }
        } catch (CodecException e) {
            limiter.warn("bad_frame_" + e.kind().name().toLowerCase(Locale.ROOT), e.getMessage());
        }
    }
}
