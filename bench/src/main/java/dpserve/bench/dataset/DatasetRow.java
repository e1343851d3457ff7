package dpserve.bench.dataset;

/**
 * One request of a workload.
 *
 * @param prompt what is asked
 * @param promptLen tokens of the prompt as the dataset states it (of the first round for a conversation)
 * @param outputLen tokens to generate
 * @param timestampMs arrival in a trace, milliseconds from any origin; NaN where the dataset has no times
 * @param routingKey equal for rows that share a prefix; null for none
 */
public record DatasetRow(Prompt prompt, int promptLen, int outputLen, double timestampMs, String routingKey) {

    /** A row without a time and a routing key. */
    public DatasetRow(Prompt prompt, int promptLen, int outputLen) {
        this(prompt, promptLen, outputLen, Double.NaN, null);
    }

    /** Requests this row leads to: one, or one for each round of a conversation. */
    public int rounds() {
        return prompt instanceof Prompt.Conversation c ? c.rounds().size() : 1;
    }
}
