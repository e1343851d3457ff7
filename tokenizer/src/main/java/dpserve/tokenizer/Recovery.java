package dpserve.tokenizer;

import dpserve.io.WireRid;
import dpserve.io.message.ControllerHello;
import dpserve.io.message.Hello;
import dpserve.io.message.KnownRids;
import dpserve.io.message.LostRids;
import dpserve.io.message.Message;
import dpserve.io.message.Role;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which attempts are lost when a controller or a detokenizer was restarted, and what the controller does not know of those
 * that ended meanwhile (docs/protocol.md section 3). Pure; {@link TokenizerManager} begins the new attempts.
 */
public final class Recovery {
    /**
     * An attempt of which nothing is heard for so long may be lost. As long as requests wait in ordinary operation, and a
     * question costs one message with the names of this worker's attempts.
     */
    static final long DOUBT_NS = 5_000_000_000L;

    /** From a rank through a detokenizer that keeps up it takes milliseconds; recovery waits so much longer for what was really lost. */
    static final long SETTLE_NS = 1_000_000_000L;

    /**
     * An attempt that its rank holds no more, though its end has not been heard of here.
     *
     * @param readNs when all that had been waiting here was read; null until then
     */
    private record Suspect(String why, Long readNs) {}

    private final TokenizerManager manager;
    private final int detokenizers;
    private long firstEpoch;
    private final Map<String, Suspect> suspects = new LinkedHashMap<>();
    private volatile boolean suspecting;
    private boolean asked;
    private long askedNs;

    /** @param detokenizers how many have the texts of the topology's requests */
    public Recovery(TokenizerManager manager, int detokenizers) {
        this.manager = manager;
        this.detokenizers = detokenizers;
    }

    /**
     * Takes a message.
     *
     * @return false if it is none of these
     */
    public boolean onMessage(Message message, long nowNs) {
        if (message instanceof KnownRids known) {
            onKnown(known, nowNs);
        } else if (message instanceof LostRids lost) {
            String why = "DP rank " + lost.dpRank() + " holds this request no more";
            suspect(List.of(lost.rids()), why);
        } else if (message instanceof Hello hello && hello.role() == Role.DETOKENIZER) {
            onNewDetokenizer(hello.index(), nowNs);
        } else {
            return false;
        }
        return true;
    }

    /** The controller gave a sign of life. */
    public void onController(ControllerHello hello) {
        firstEpoch = firstEpoch == 0 ? hello.epoch() : firstEpoch;
        manager.attempts().onController(hello.epoch());
    }

    /**
     * Whether the controller should be asked what it knows: a connection that broke has lost what was on its way on it, a
     * request or the word of its end (docs/protocol.md section 3).
     *
     * @return the number of the newest attempt sent, to be told in the stream; 0 for no question
     */
    public long question(long nowNs) {
        if (asked && nowNs - askedNs < DOUBT_NS) {
            return 0;
        }
        for (SequenceState state : manager.attempts().running()) {
            if (!manager.attempts().isWaiting(state) && nowNs - state.quietSinceNs() >= DOUBT_NS) {
                asked = true;
                askedNs = nowNs;
                return manager.attempts().sent();
            }
        }
        return 0;
    }

    private void onKnown(KnownRids message, long nowNs) {
        Set<String> known = new HashSet<>(Arrays.asList(message.rids()));
        List<String> lost = new ArrayList<>();
        for (SequenceState state : manager.attempts().running()) {
            // The first controller there was cannot have lost anything.
            boolean sentBefore = state.sentNumber <= message.sent()
                    || (state.sentToEpoch < message.epoch() && message.epoch() != firstEpoch);
            if (known.remove(state.wireRid)) {
                if (state.zombie || state.abortAsked) {
                    manager.attempts().abort(state); // its first abort may have died with the predecessor
                }
            } else if (sentBefore && !manager.attempts().isWaiting(state)) {
                lost.add(state.wireRid);
            }
        }
        manager.attempts().disown(known);
        if (message.sent() > 0) {
            suspect(lost, "The request was lost on its way");
        } else {
            manager.lose(lost, Loss.NOWHERE, "The controller was restarted", nowNs);
        }
    }

    /**
     * Their last words may still be on their way: a worker that cannot keep up has seconds of output before it, and to begin all of
     * those requests anew would add to what it cannot keep up with.
     */
    private void suspect(List<String> wireRids, String why) {
        for (String rid : wireRids) {
            if (manager.attempts().get(rid) != null) {
                suspects.putIfAbsent(rid, new Suspect(why, null));
            }
        }
        suspecting = !suspects.isEmpty();
    }

    /** Whether {@link #onCaughtUp} is waited for, or time; may be asked on any thread. */
    public boolean isSuspecting() {
        return suspecting;
    }

    /**
     * What had come for this worker has been dealt with, up to a moment at which {@link #isSuspecting} was true. To be called whenever its
     * socket was found empty then, which the controller's greeting of each second brings about if nothing else does.
     */
    public void onCaughtUp(long nowNs) {
        suspects.replaceAll((rid, s) -> s.readNs() == null ? new Suspect(s.why(), nowNs) : s);
    }

    /** Time passes; to be called some times a second. */
    public void onTick(long nowNs) {
        if (suspects.isEmpty()) {
            return;
        }
        Map<String, List<String>> lostByReason = new LinkedHashMap<>();
        suspects.entrySet().removeIf(e -> {
            SequenceState state = manager.attempts().get(e.getKey());
            Long readNs = e.getValue().readNs();
            boolean lost =
                    state != null && readNs != null && nowNs - Math.max(readNs, state.quietSinceNs()) >= SETTLE_NS;
            if (lost) {
                lostByReason
                        .computeIfAbsent(e.getValue().why(), why -> new ArrayList<>())
                        .add(e.getKey());
            }
            return lost || state == null;
        });
        suspecting = !suspects.isEmpty();
        lostByReason.forEach((why, rids) -> manager.lose(rids, Loss.NOWHERE, why, nowNs));
    }

    /** The texts that its predecessor had begun are lost; of attempts without output the first may have been. */
    private void onNewDetokenizer(int index, long nowNs) {
        List<String> lost = new ArrayList<>();
        for (SequenceState state : manager.attempts().running()) {
            if (WireRid.detokenizer(state.wireRid, detokenizers) == index
                    && !manager.attempts().isWaiting(state)) {
                lost.add(state.wireRid);
            }
        }
        manager.lose(lost, Loss.OUTPUT, "Detokenizer " + index + " was restarted", nowNs);
    }
}
