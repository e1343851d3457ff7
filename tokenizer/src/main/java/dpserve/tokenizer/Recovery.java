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
import java.util.List;
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

    private final TokenizerManager manager;
    private final int detokenizers;
    private long firstEpoch;
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
            manager.lose(List.of(lost.rids()), Loss.NOWHERE, why, nowNs);
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
        String why = message.sent() > 0 ? "The request was lost on its way" : "The controller was restarted";
        manager.lose(lost, Loss.NOWHERE, why, nowNs);
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
