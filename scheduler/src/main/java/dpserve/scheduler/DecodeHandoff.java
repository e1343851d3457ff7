package dpserve.scheduler;

import dpserve.io.DisaggregationMode;
import dpserve.io.message.KvBlocks;
import dpserve.io.message.KvFailed;
import dpserve.io.message.KvPull;
import dpserve.io.message.KvReceived;
import dpserve.io.message.KvRoute;
import dpserve.io.message.KvRouteReq;
import dpserve.io.message.Message;
import dpserve.io.message.TokenizedGenerateReqInput;
import dpserve.io.model.NextToken;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * The decode half: a request waits in the prealloc queue until the prefill rank that has its room is known and there is KV for
 * it, then in the transfer queue until that KV has come, and runs from then on. What is retracted keeps its KV in host
 * memory, as SGLang's does, and comes back before anything new.
 */
final class DecodeHandoff implements Handoff {
    private final SchedulerConfig config;
    private final Disaggregation disaggregation;
    private final Engine engine;
    private final KvOutput kv;
    private final KvPool pool;
    private final RequestSlots slots;
    private final DecodeManager decode;
    private final RequestLifecycle requests;
    private final HandoffQueues queues;
    private final SchedulerCounters counters;
    private final Map<Long, Receiving> rooms = new LinkedHashMap<>();
    private final Deque<Request> retracted = new ArrayDeque<>();
    private int transferring;
    private long transferTokens;

    DecodeHandoff(
            SchedulerConfig config,
            PdHalf half,
            KvPool pool,
            RequestSlots slots,
            DecodeManager decode,
            RequestLifecycle requests,
            HandoffQueues queues,
            SchedulerCounters counters) {
        this.config = config;
        this.disaggregation = half.disaggregation();
        this.engine = half.engine();
        this.kv = half.kv();
        this.pool = pool;
        this.slots = slots;
        this.decode = decode;
        this.requests = requests;
        this.queues = queues;
        this.counters = counters;
    }

    @Override
    public String refuse(TokenizedGenerateReqInput in) {
        if (in.bootstrapRoom() == null || in.bootstrapHost() == null) {
            return "bootstrap_host or bootstrap_room is missing: a decode server takes requests through a PD router";
        }
        if (!disaggregation.bootstrapServers().contains(bootstrap(in))) {
            return "bootstrap_host and bootstrap_port name no server of " + Disaggregation.BOOTSTRAP_SERVERS_FLAG;
        }
        return rooms.containsKey(in.bootstrapRoom())
                ? "bootstrap_room is in use by another request"
                : Disaggregation.refuse(engine, in.inputIds().length);
    }

    private static String bootstrap(TokenizedGenerateReqInput in) {
        int port = in.bootstrapPort() == null ? DisaggregationMode.DEFAULT_BOOTSTRAP_PORT : in.bootstrapPort();
        return "tcp://" + in.bootstrapHost() + ":" + port;
    }

    private static long room(Request r) {
        return r.input().bootstrapRoom();
    }

    @Override
    public void arrive(Request r, long nowNs) {
        Receiving s = new Receiving(r, nowNs);
        rooms.put(room(r), s);
        queues.add(r);
        ask(s, nowNs);
    }

    private void ask(Receiving s, long nowNs) {
        s.repeatNs = nowNs + PrefillHandoff.REPEAT_NS;
        kv.toPeer(bootstrap(s.r.input()), new KvRouteReq(room(s.r), disaggregation.kvEndpoint()));
    }

    @Override
    public boolean onMessage(Message message, long nowNs) {
        if (message instanceof KvRoute route) {
            Receiving s = rooms.get(route.room());
            if (s != null) {
                s.heardNs = nowNs;
                s.from = s.allocated ? s.from : route.endpoint();
            }
        } else if (message instanceof KvBlocks blocks) {
            onBlocks(blocks, nowNs);
        } else if (message instanceof KvFailed failed) {
            Receiving s = rooms.get(failed.room());
            if (s != null) {
                s.from = null; // the sender knows
                requests.fail(s.r, failed.reason());
            }
        } else {
            return false;
        }
        return true;
    }

    private void onBlocks(KvBlocks blocks, long nowNs) {
        Receiving s = rooms.get(blocks.room());
        if (s == null) {
            // Here already, or wanted no more: the sender missed hearing so.
            kv.toPeer(blocks.replyTo(), new KvReceived(blocks.room()));
            return;
        }
        if (!s.allocated) {
            return; // of an earlier use of the room: nothing was pulled for this one
        }
        if (blocks.total() != engine.kvBytes(s.r.inputLength())) {
            refuse(s);
            return;
        }
        if (blocks.from() == 0) {
            s.received = 0; // all of it again
        }
        if (blocks.from() != s.received) {
            return; // a piece is missing: the sender repeats all
        }
        if (s.kv == null) {
            s.kv = new byte[blocks.total()];
        }
        System.arraycopy(blocks.bytes(), 0, s.kv, s.received, blocks.bytes().length);
        s.heardNs = nowNs;
        s.received += blocks.bytes().length;
        if (s.received < blocks.total() || blocks.first() == null) {
            return;
        }
        if (!engine.importKv(s.r, s.r.inputLength(), s.kv)) {
            refuse(s);
            return;
        }
        kv.toPeer(blocks.replyTo(), new KvReceived(blocks.room()));
        counters.kvTransferredTokens += s.r.inputLength();
        forget(s);
        start(s.r, blocks, nowNs);
    }

    private void refuse(Receiving s) {
        counters.kvMismatches++;
        requests.fail(s.r, "the KV that a prefill rank sent is not that of this prompt");
    }

    /** All KV is here: the prefill's token is its first, and it runs. */
    private void start(Request r, KvBlocks last, long nowNs) {
        r.cachedTokens = Math.min(last.cachedTokens(), r.promptLength());
        r.scheduledAt(nowNs);
        KvBlocks.First first = last.first();
        requests.onToken(
                r,
                first.token(),
                first.logprob() == null
                        ? null
                        : new NextToken(first.token(), first.logprob(), first.topIds(), first.topLogprobs()));
        r.tokenAt(nowNs);
        if (!r.isFinished()) {
            decode.add(r);
        }
    }

    @Override
    public void advance(long nowNs) {
        List<Receiving> late = new ArrayList<>();
        for (Receiving s : rooms.values()) {
            if (nowNs - s.heardNs >= TimeUnit.MILLISECONDS.toNanos(disaggregation.timeoutMs())) {
                late.add(s);
            } else if (s.from == null && nowNs >= s.repeatNs) {
                ask(s, nowNs);
            } else if (s.from != null && nowNs >= s.repeatNs) {
                pull(s, nowNs);
            }
        }
        for (Receiving s : late) {
            requests.fail(
                    s.r,
                    s.from == null
                            ? "no prefill rank announced the room of this request within " + disaggregation.timeoutMs()
                                    + " ms"
                            : "the prefill rank of this request was not heard for " + disaggregation.timeoutMs()
                                    + " ms");
        }
        bringBack();
        preallocate(nowNs);
    }

    private void pull(Receiving s, long nowNs) {
        s.repeatNs = nowNs + PrefillHandoff.REPEAT_NS;
        int tokens = s.allocated ? s.r.inputLength() : KvPull.WAIT;
        kv.toPeer(s.from, new KvPull(room(s.r), tokens, disaggregation.kvEndpoint()));
    }

    /** Retracted requests get their KV back as soon as it fits, the oldest first. */
    private void bringBack() {
        while (!retracted.isEmpty() && hasRoom(retracted.peek().length())) {
            Request r = retracted.poll();
            queues.remove(r);
            slots.take(r);
            pool.allocate(r, r.length() - 1);
            decode.add(r);
        }
    }

    private void preallocate(long nowNs) {
        if (!retracted.isEmpty()) {
            return;
        }
        for (Receiving s : rooms.values()) {
            if (s.allocated || s.from == null) {
                continue;
            }
            if (!hasRoom(s.r.length())) {
                return;
            }
            queues.remove(s.r);
            slots.take(s.r);
            pool.allocate(s.r, s.r.length());
            s.allocated = true;
            transferring++;
            transferTokens += s.r.length();
            pull(s, nowNs);
        }
    }

    /** Whether so many tokens fit beside what the others are expected to need yet; a request alone always does. */
    private boolean hasRoom(int tokens) {
        int others = decode.size() + transferring;
        if (others >= config.maxRunningRequests()) {
            return false;
        }
        long reserved = (long) others * disaggregation.reservedDecodeTokens();
        return others == 0 || pool.available() - reserved >= tokens;
    }

    @Override
    public long nextDueNs() {
        long due = NEVER;
        for (Receiving s : rooms.values()) {
            due = Math.min(due, s.repeatNs);
        }
        return due;
    }

    @Override
    public boolean remove(Request r) {
        Receiving s = rooms.get(room(r));
        if (s != null && s.r == r) {
            if (s.from != null && s.allocated) {
                kv.toPeer(s.from, new KvFailed(room(r), "the decode half of this request was aborted"));
            }
            forget(s);
            return true;
        }
        boolean found = retracted.remove(r);
        if (found) {
            queues.remove(r);
        }
        return found;
    }

    private void forget(Receiving s) {
        rooms.remove(room(s.r));
        if (s.allocated) {
            transferring--;
            transferTokens -= s.r.length();
        } else {
            queues.remove(s.r);
        }
    }

    @Override
    public void onRetracted(Request r) {
        retracted.add(r);
        queues.add(r);
    }

    @Override
    public boolean onPrefilled(Request r, int token, NextToken logprob, long nowNs) {
        throw new IllegalStateException("a decode server computes no prompt");
    }

    @Override
    public void clear() {
        rooms.clear();
        retracted.clear();
        queues.clear();
        transferring = 0;
        transferTokens = 0;
    }

    @Override
    public int slotsHeld() {
        return transferring;
    }

    @Override
    public String logPart() {
        return String.format(
                Locale.ROOT,
                ", pre-allocated usage: %.2f, #prealloc-req: %d, #transfer-req: %d, #retracted-req: %d",
                (double) transferTokens / pool.size(),
                rooms.size() - transferring,
                transferring,
                retracted.size());
    }

    @Override
    public void tables(Map<String, Object> tables) {
        tables.put("decode_prealloc_queue", (long) (rooms.size() - transferring));
        tables.put("decode_transfer_queue", (long) transferring);
        tables.put("decode_retracted_queue", (long) retracted.size());
    }
}
