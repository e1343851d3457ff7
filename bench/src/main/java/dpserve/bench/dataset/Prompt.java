package dpserve.bench.dataset;

import java.util.List;

/** What a row asks. */
public sealed interface Prompt {

    /** Token ids, sent as such or as the text they decode to. */
    record Tokens(List<TokenRun> runs) implements Prompt {
        public Tokens(TokenRun... runs) {
            this(List.of(runs));
        }

        /** Number of tokens. */
        public int length() {
            int n = 0;
            for (TokenRun r : runs) {
                n += r.length();
            }
            return n;
        }
    }

    /** Text from a file. */
    record Text(String text) implements Prompt {}

    /** One message of the user for each round; every round is sent with all rounds and answers before it. */
    record Conversation(List<Prompt> rounds) implements Prompt {}
}
