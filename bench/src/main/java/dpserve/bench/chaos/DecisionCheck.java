package dpserve.bench.chaos;

import dpserve.controller.decision.DecisionCodec;
import dpserve.controller.decision.DecisionEntry;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.msgpack.core.MessageUnpacker;

/** What must hold in every record of decisions: only live ranks are chosen, and each attempt is sent once. */
public final class DecisionCheck {
    private final List<String> broken = new ArrayList<>();
    private final Set<String> seen = new HashSet<>();
    private int decisions;

    /**
     * Reads a record.
     *
     * @throws IOException if this is no decision record
     */
    public void read(MessageUnpacker in) throws IOException {
        DecisionCodec codec = new DecisionCodec();
        DecisionCodec.readHeader(in);
        for (DecisionCodec.Numbered read = codec.read(in); read != null; read = codec.read(in)) {
            check(read.entry());
        }
    }

    void check(DecisionEntry entry) {
        if (!(entry instanceof DecisionEntry.Decided decided) || decided.chosen() < 0) {
            return;
        }
        decisions++;
        String rid = decided.request().rid();
        if (!decided.ranks().isLive(decided.chosen())) {
            broken.add("dp_rank " + decided.chosen() + " was chosen for " + rid + ", which was not live");
        }
        if (!seen.add(rid)) {
            broken.add("the attempt " + rid + " was sent twice");
        }
    }

    /** Requests that were given a rank. */
    public int decisions() {
        return decisions;
    }

    /** What does not hold, in words. */
    public List<String> broken() {
        return broken;
    }
}
