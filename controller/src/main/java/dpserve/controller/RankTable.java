package dpserve.controller;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** The slots of all dp_ranks. They never become fewer; ranks beyond dp_size get slots when they register. */
public final class RankTable {
    private final List<Rank> ranks = new ArrayList<>();

    /**
     * @param dpSize slots to begin with
     * @param legacyRanks how many of them, from 0 on, are legacy ranks
     */
    public RankTable(int dpSize, int legacyRanks) {
        for (int r = 0; r < dpSize; r++) {
            ranks.add(new Rank(r, r < legacyRanks));
        }
    }

    /** The slot, or null for a number that is not one. */
    public Rank get(int dpRank) {
        return dpRank >= 0 && dpRank < ranks.size() ? ranks.get(dpRank) : null;
    }

    /** The slot, made if it does not exist. */
    Rank slot(int dpRank) {
        while (ranks.size() <= dpRank) {
            ranks.add(new Rank(ranks.size(), false));
        }
        return ranks.get(dpRank);
    }

    /** All slots in rank order. */
    public List<Rank> all() {
        return Collections.unmodifiableList(ranks);
    }
}
