package dpserve.bench.chaos;

/**
 * One thing that is done to a running topology.
 *
 * @param first whom it meets; null if it meets no process
 * @param second who is met together with the first; null for one alone
 * @param ms how long it lasts; 0 for what happens at once
 * @param phase what goes on when it happens
 */
public record Fault(Action action, Target first, Target second, int ms, Phase phase) {

    /** What happens. */
    public enum Action {
        KILL("SIGKILL"),
        STOP("SIGSTOP, SIGCONT"),
        SLOW("10x slow"),
        CORRUPT("corrupt frames to"),
        UNREAD("clients that do not read"),
        DRAIN("drain, undrain"),
        RESTART("rank.sh restart"),
        REMOVE_NOW("rank.sh remove under load, add"),
        ADD("rank.sh add, remove"),
        REPORTS_LATE("reports 1 s late"),
        REPORTS_STOP("no reports"),
        REPORTS_PATH("reports by another way");

        private final String words;

        Action(String words) {
            this.words = words;
        }

        /** Whether it changes which ranks there are. */
        public boolean changesRanks() {
            return this == DRAIN || this == RESTART || this == REMOVE_NOW || this == ADD;
        }
    }

    /** The kinds of processes. */
    public enum Role {
        RANK("scheduler"),
        CONTROLLER("controller"),
        DETOKENIZER("detokenizer"),
        TOKENIZER("tokenizer");

        private final String process;

        Role(String process) {
            this.process = process;
        }

        /** As topology.json and /server_info name it. */
        public String process() {
            return process;
        }

        String words() {
            return this == TOKENIZER ? "tokenizer worker" : name().toLowerCase(java.util.Locale.ROOT);
        }
    }

    /** What goes on when a fault happens. Overload is a whole topology's. */
    public enum Phase {
        /** Requests of all kinds come and go. */
        LOAD,
        /** All clients have just begun at the same moment. */
        BURST,
        /** Nothing runs; the clients come afterwards. */
        IDLE,
        /** A rank is being drained under load. */
        DRAIN
    }

    /** A process: which of its kind. */
    public record Target(Role role, int index) {
        @Override
        public String toString() {
            return role == Role.CONTROLLER ? role.words() : role.words() + " " + index;
        }
    }

    /** Its row in the table: without numbers, but for the one duration that is promised. */
    public String row() {
        StringBuilder row = new StringBuilder(action.words);
        if (action == Action.STOP && ms >= FaultPlan.LONG_STOP_MS) {
            row.append(" after ").append(ms / 1000).append(" s");
        }
        if (first != null) {
            row.append(action == Action.CORRUPT ? " " : ": ")
                    .append(first.role().words());
        }
        if (second != null) {
            row.append(" and ").append(second.role().words());
        }
        return row.toString();
    }

    @Override
    public String toString() {
        return action.words
                + (first == null ? "" : ", " + first)
                + (second == null ? "" : " and " + second)
                + (ms == 0 ? "" : ", " + ms + " ms")
                + ", phase " + phase.name().toLowerCase(java.util.Locale.ROOT);
    }
}
