package dpserve.bench.sim;

import dpserve.bench.dataset.Seeds;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Something that happens to a simulated topology.
 *
 * @param atS when, seconds of modelled time
 * @param rank whom it meets; -1 for what meets no rank
 * @param lastsS until the restart, the end of the pause or the undrain
 */
public record SimFault(Kind kind, double atS, int rank, double lastsS) {
    private static final int FAULTS = 73;
    private static final Pattern FORM =
            Pattern.compile("([a-z]+)@(\\d+(?:\\.\\d+)?)(?::(\\d+))?(?:\\+(\\d+(?:\\.\\d+)?))?");

    /** What happens. */
    public enum Kind {
        /** The rank's process dies, and another begins. */
        KILL(true),
        /** The rank is stopped, and goes on where it was: a ghost by then, if it took long. */
        PAUSE(true),
        /** The rank takes no new requests. */
        DRAIN(true),
        /** The rank is drained and its process ended at once; it is forgotten. */
        REMOVE(true),
        /** One more rank, or one that was removed. */
        ADD(false),
        /** The controller dies, and another begins that knows nothing. */
        CONTROLLER(false);

        private final boolean ofRank;

        Kind(boolean ofRank) {
            this.ofRank = ofRank;
        }
    }

    /**
     * @param text {@code KIND@SECONDS[:RANK][+SECONDS]}, as in kill@2:1+5
     * @throws IllegalArgumentException if it is not that
     */
    public static SimFault parse(String text) {
        Matcher form = FORM.matcher(text);
        if (form.matches()) {
            for (Kind kind : Kind.values()) {
                if (kind.name().toLowerCase(Locale.ROOT).equals(form.group(1))
                        && kind.ofRank == (form.group(3) != null)) {
                    int rank = kind.ofRank ? Integer.parseInt(form.group(3)) : -1;
                    double lasts = form.group(4) == null ? 1 : Double.parseDouble(form.group(4));
                    return new SimFault(kind, Double.parseDouble(form.group(2)), rank, lasts);
                }
            }
        }
        throw new IllegalArgumentException("--fault must be kill, pause, drain or remove @SECONDS:RANK, or add or"
                + " controller @SECONDS, then perhaps +SECONDS that it lasts; not " + text);
    }

    /** So many faults, some two seconds apart, of ranks 0 to ranks - 1; equal seeds give equal faults. */
    static List<SimFault> draw(long seed, int count, int ranks) {
        Random random = Seeds.random(seed, FAULTS);
        List<SimFault> faults = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Kind kind = Kind.values()[random.nextInt(Kind.values().length)];
            double at = 1 + 2 * i + 2 * random.nextDouble();
            int rank = random.nextInt(ranks);
            faults.add(new SimFault(kind, at, kind.ofRank ? rank : -1, 0.1 + 4 * random.nextDouble()));
        }
        return faults;
    }
}
