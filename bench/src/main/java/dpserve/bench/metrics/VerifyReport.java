package dpserve.bench.metrics;

/**
 * How the replies compare with what they must be.
 *
 * @param correct exactly as expected
 * @param wrong complete, but with other tokens
 * @param lost cut short or with tokens missing, streams that broke off included
 * @param doubled with tokens too many, all expected ones among them
 * @param failed without a reply because the server said so; nothing to compare
 * @param firstProblem in words; null if there was none
 */
public record VerifyReport(int correct, int wrong, int lost, int doubled, int failed, String firstProblem) {

    /** Whether every reply that came was right and none was lost. */
    public boolean clean() {
        return wrong + lost + doubled == 0;
    }

    /** One line. */
    public String summary() {
        return String.format(
                "Verify: %d replies as expected, %d wrong, %d lost, %d doubled, %d failed%s",
                correct, wrong, lost, doubled, failed, firstProblem == null ? "" : "; first: " + firstProblem);
    }
}
