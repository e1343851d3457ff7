package dpserve.scheduler;

import dpserve.io.message.FinishReason;
import dpserve.io.message.KvBlocks;
import dpserve.io.message.KvFailed;
import dpserve.io.message.KvPull;
import dpserve.io.message.KvReceived;
import dpserve.io.message.KvRoute;
import dpserve.io.message.Message;
import dpserve.io.message.TokenizedGenerateReqInput;
import dpserve.io.model.NextToken;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * The prefill half: a request waits in the bootstrap queue until a decode rank has room for its KV, is prefilled as any other,
 * and stays in the inflight queue with its KV until the decode rank says that it has it.
 *
 * <p>A rank has one link: transfers follow each other on it, each for as long as the modelled KV takes. Every message
 * is repeated until it has its effect, so a lost frame costs time only.
 */
final class PrefillHandoff implements Handoff {
    /** How often a room is announced, and KV sent again that nobody acknowledged. */
    static final long REPEAT_NS = TimeUnit.SECONDS.toNanos(1);

    /** Most KV bytes in one frame: a prompt of 4,000 tokens of the simulated engine. */
    static final int PIECE_BYTES = 256 * 1024;

    /** KV is repeated so much later for each byte: a network of 100 Mbit/s may just not be done with it. */
    private static final long REPEAT_NS_PER_BYTE = 80;

    private static final int[] NO_IDS = {};
    private static final double[] NO_LOGPROBS = {};

    private enum Stage {
        BOOTSTRAP,
        PREFILL,
        INFLIGHT
    }

    /** One room. */
    private static final class Sending {
        final Request r;
        Stage stage = Stage.BOOTSTRAP;

        /** When the other half last gave a sign of life; INFLIGHT: when its KV is over the link. */
        long heardNs;

        /** When to announce or send again. */
        long repeatNs;

        String replyTo;

        Sending(Request r, long nowNs) {
            this.r = r;
            this.heardNs = nowNs;
            this.repeatNs = nowNs;
        }
    }

    private final SchedulerConfig config;
    private final Disaggregation disaggregation;
    private final Engine engine;
    private final KvOutput kv;
    private final PrefillManager prefill;
    private final RequestLifecycle requests;
    private final HandoffQueues queues;
    private final LoadReporter reporter;
    private final Map<Long, Sending> rooms = new LinkedHashMap<>();
    private int bootstrapping;
    private int inflight;
    private long linkFreeNs = Long.MIN_VALUE;

    PrefillHandoff(
            SchedulerConfig config,
            PdHalf half,
            PrefillManager prefill,
            RequestLifecycle requests,
            HandoffQueues queues,
            LoadReporter reporter) {
        this.config = config;
        this.disaggregation = half.disaggregation();
        this.engine = half.engine();
        this.kv = half.kv();
        this.prefill = prefill;
        this.requests = requests;
        this.queues = queues;
        this.reporter = reporter;
    }

    @Override
    public String refuse(TokenizedGenerateReqInput in) {
        if (in.bootstrapRoom() == null) {
            return "bootstrap_room is missing: a prefill server takes requests through a PD router";
        }
        return rooms.containsKey(in.bootstrapRoom())
                ? "bootstrap_room is in use by another request"
                : Disaggregation.refuse(engine, in.inputIds().length);
    }

    @Override
    public void arrive(Request r, long nowNs) {
        Sending s = new Sending(r, nowNs);
        rooms.put(room(r), s);
        bootstrapping++;
        queues.add(r);
        announce(s, nowNs);
    }

    private static long room(Request r) {
        return r.input().bootstrapRoom();
    }

    private void announce(Sending s, long nowNs) {
        s.repeatNs = nowNs + REPEAT_NS;
        kv.toPeer(disaggregation.bootstrapEndpoint(), route(s));
    }

    private KvRoute route(Sending s) {
        return new KvRoute(room(s.r), config.dpRank(), reporter.incarnation(), disaggregation.kvEndpoint());
    }

    @Override
    public boolean onMessage(Message message, long nowNs) {
        if (message instanceof KvPull pull) {
            onPull(pull, nowNs);
        } else if (message instanceof KvReceived received) {
            Sending s = rooms.get(received.room());
            if (s != null && s.stage == Stage.INFLIGHT) {
                forget(s);
                // As SGLang: the prefill server's own answer says that it ended by length.
                requests.finish(s.r, new FinishReason.Length(s.r.outputLength()));
            }
        } else if (message instanceof KvFailed failed) {
            Sending s = rooms.get(failed.room());
            if (s != null) {
                s.replyTo = null;
                requests.fail(s.r, failed.reason());
            }
        } else {
            return false;
        }
        return true;
    }

    private void onPull(KvPull pull, long nowNs) {
        Sending s = rooms.get(pull.room());
        if (s == null) {
            // Rooms are announced by whoever has them, so this one has ended here, and the word of that was lost.
            kv.toPeer(pull.replyTo(), new KvFailed(pull.room(), "the prefill rank has this request no more"));
        } else if (pull.tokens() != KvPull.WAIT && pull.tokens() != s.r.inputLength()) {
            kv.toPeer(pull.replyTo(), new KvFailed(pull.room(), "the two halves of a pair have different prompts"));
        } else {
            s.replyTo = pull.replyTo();
            if (s.stage == Stage.BOOTSTRAP) {
                s.heardNs = nowNs;
                if (pull.tokens() != KvPull.WAIT) {
                    begin(s);
                }
            }
            kv.toPeer(pull.replyTo(), route(s)); // a sign of life
        }
    }

    private void begin(Sending s) {
        s.stage = Stage.PREFILL;
        bootstrapping--;
        queues.remove(s.r);
        prefill.waiting().add(s.r);
    }

    @Override
    public boolean onPrefilled(Request r, int token, NextToken logprob, long nowNs) {
        Sending s = rooms.get(room(r));
        requests.keepToken(r, token, logprob);
        s.stage = Stage.INFLIGHT;
        inflight++;
        long bytes = (long) r.inputLength() * engine.kvBytesPerToken();
        linkFreeNs = Math.max(linkFreeNs, nowNs) + Math.round(bytes * disaggregation.transferNsPerByte());
        s.heardNs = linkFreeNs;
        s.repeatNs = linkFreeNs;
        return true;
    }

    @Override
    public void advance(long nowNs) {
        List<Sending> late = new ArrayList<>();
        for (Sending s : rooms.values()) {
            if (s.stage != Stage.PREFILL && nowNs - s.heardNs >= timeoutNs()) {
                late.add(s);
            } else if (s.stage == Stage.BOOTSTRAP && nowNs >= s.repeatNs) {
                announce(s, nowNs);
            } else if (s.stage == Stage.INFLIGHT && nowNs >= s.repeatNs) {
                s.repeatNs = nowNs + REPEAT_NS + REPEAT_NS_PER_BYTE * send(s);
            }
        }
        for (Sending s : late) {
            requests.fail(
                    s.r, "no decode rank took the KV of this request within " + disaggregation.timeoutMs() + " ms");
        }
    }

    private long timeoutNs() {
        return TimeUnit.MILLISECONDS.toNanos(disaggregation.timeoutMs());
    }

    /** Sends the KV; returns how many bytes it is. */
    private int send(Sending s) {
        byte[] all = engine.exportKv(s.r, s.r.inputLength());
        for (int from = 0; from < all.length; from += PIECE_BYTES) {
            int to = Math.min(all.length, from + PIECE_BYTES);
            kv.toPeer(
                    s.replyTo,
                    new KvBlocks(
                            room(s.r),
                            disaggregation.kvEndpoint(),
                            from,
                            all.length,
                            Arrays.copyOfRange(all, from, to),
                            to == all.length ? first(s.r) : null,
                            Math.max(0, s.r.cachedTokens)));
        }
        return all.length;
    }

    private static KvBlocks.First first(Request r) {
        int token = r.ids()[r.inputLength()];
        if (r.logprobs.isEmpty()) {
            return new KvBlocks.First(token, null, NO_IDS, NO_LOGPROBS);
        }
        NextToken last = r.logprobs.get(r.logprobs.size() - 1);
        return new KvBlocks.First(token, last.logprob(), last.topIds(), last.topLogprobs());
    }

    @Override
    public long nextDueNs() {
        long due = NEVER;
        for (Sending s : rooms.values()) {
            due = s.stage == Stage.PREFILL ? due : Math.min(due, s.repeatNs);
        }
        return due;
    }

    @Override
    public boolean remove(Request r) {
        Sending s = rooms.get(room(r));
        if (s == null || s.r != r) {
            return false;
        }
        if (s.replyTo != null) {
            kv.toPeer(s.replyTo, new KvFailed(room(r), "the prefill half of this request was aborted"));
        }
        Stage stage = s.stage;
        forget(s);
        // While its prompt is being computed it ends as any other request does.
        return stage != Stage.PREFILL;
    }

    private void forget(Sending s) {
        rooms.remove(room(s.r));
        if (s.stage == Stage.BOOTSTRAP) {
            bootstrapping--;
            queues.remove(s.r);
        } else if (s.stage == Stage.INFLIGHT) {
            inflight--;
        }
    }

    @Override
    public void onRetracted(Request r) {
        prefill.waiting().add(r);
    }

    @Override
    public void clear() {
        rooms.clear();
        queues.clear();
        bootstrapping = 0;
        inflight = 0;
    }

    @Override
    public int slotsHeld() {
        return inflight;
    }

    @Override
    public String logPart() {
        return ", #unbootstrapped-req: " + bootstrapping + ", #inflight-req: " + inflight;
    }

    @Override
    public void tables(Map<String, Object> tables) {
        tables.put("prefill_bootstrap_queue", (long) bootstrapping);
        tables.put("prefill_inflight_queue", (long) inflight);
        tables.put("bootstrap_rooms", (long) rooms.size());
    }
}
