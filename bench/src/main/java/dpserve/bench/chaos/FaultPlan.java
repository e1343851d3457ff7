package dpserve.bench.chaos;

import dpserve.bench.chaos.Fault.Action;
import dpserve.bench.chaos.Fault.Phase;
import dpserve.bench.chaos.Fault.Role;
import dpserve.bench.chaos.Fault.Target;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/**
 * Which faults meet a topology, in which order: made from the seed and the topology's shape alone, without end. All kinds are
 * a deck that is shuffled by the seed and dealt again and again; each of several topologies begins at another place, so that
 * together they meet every kind soon.
 */
public final class FaultPlan {
    /** The stop that the promises name: far beyond the time after which a rank is taken for dead. */
    static final int LONG_STOP_MS = 10_000;

    private static final int SHORTEST_STOP_MS = 300;
    private static final int LONGEST_STOP_MS = 4_000;
    private static final int SLOW_MS = 3_000;

    /** A kind of fault; which process of its role, how long and when are drawn each time. */
    private record Card(Action action, Role first, Role second, int ms) {}

    private static final Role[][] PAIRS = {
        {Role.CONTROLLER, Role.RANK},
        {Role.CONTROLLER, Role.DETOKENIZER},
        {Role.RANK, Role.RANK},
        {Role.RANK, Role.DETOKENIZER},
        {Role.RANK, Role.TOKENIZER},
    };

    private static final Phase[] PHASES = {
        Phase.LOAD, Phase.LOAD, Phase.LOAD, Phase.BURST, Phase.BURST, Phase.IDLE, Phase.DRAIN, Phase.DRAIN
    };

    private final List<Card> deck;
    private final Random random;
    private final Shape shape;
    private int dealt;

    /** How many processes of each kind there are, each at least 1; ranks at least 2. */
    public record Shape(int ranks, int tokenizers, int detokenizers) {
        int count(Role role) {
            return switch (role) {
                case RANK -> ranks;
                case CONTROLLER -> 1;
                case DETOKENIZER -> detokenizers;
                case TOKENIZER -> tokenizers;
            };
        }
    }

    /**
     * @param number of this topology among those that share the seed, from 0
     * @param of how many they are
     */
    public FaultPlan(long seed, Shape shape, int number, int of) {
        this.shape = shape;
        deck = cards();
        Collections.shuffle(deck, new Random(seed));
        Collections.rotate(deck, -number * deck.size() / of);
        random = new Random(seed * 1_000_003 + number);
    }

    private static List<Card> cards() {
        List<Card> cards = new ArrayList<>();
        for (Role role : Role.values()) {
            cards.add(new Card(Action.KILL, role, null, 0));
            cards.add(new Card(Action.STOP, role, null, SHORTEST_STOP_MS));
            cards.add(new Card(Action.SLOW, role, null, SLOW_MS));
            cards.add(new Card(Action.CORRUPT, role, null, 0));
        }
        cards.add(new Card(Action.STOP, Role.RANK, null, LONG_STOP_MS));
        for (Role[] pair : PAIRS) {
            cards.add(new Card(Action.KILL, pair[0], pair[1], 0));
        }
        for (Action action : Action.values()) {
            if (action.changesRanks()) {
                cards.add(new Card(action, Role.RANK, null, 0));
            }
        }
        cards.add(new Card(Action.UNREAD, null, null, 0));
        cards.add(new Card(Action.REPORTS_LATE, null, null, SLOW_MS));
        cards.add(new Card(Action.REPORTS_STOP, null, null, SLOW_MS));
        cards.add(new Card(Action.REPORTS_PATH, null, null, SLOW_MS));
        return cards;
    }

    /** The rows of all kinds of faults, in a fixed order. */
    public static List<String> rows() {
        return cards().stream()
                .map(card -> new Fault(card.action, target(card.first), target(card.second), card.ms, Phase.LOAD).row())
                .toList();
    }

    private static Target target(Role role) {
        return role == null ? null : new Target(role, 0);
    }

    /** The next fault. */
    public Fault next() {
        Card card = deck.get(dealt++ % deck.size());
        Target first = card.first == null ? null : new Target(card.first, random.nextInt(shape.count(card.first)));
        Target second = null;
        if (card.second != null) {
            int index = random.nextInt(shape.count(card.second));
            // Two of one role are two.
            second = new Target(
                    card.second, card.second == card.first ? (first.index() + 1) % shape.count(card.second) : index);
        }
        int ms = card.ms == SHORTEST_STOP_MS
                ? SHORTEST_STOP_MS + random.nextInt(LONGEST_STOP_MS - SHORTEST_STOP_MS)
                : card.ms;
        Phase phase = PHASES[random.nextInt(PHASES.length)];
        boolean needsLoad = card.first == null || card.action.changesRanks();
        return new Fault(card.action, first, second, ms, needsLoad ? Phase.LOAD : phase);
    }
}
