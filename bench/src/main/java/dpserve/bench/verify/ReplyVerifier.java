package dpserve.bench.verify;

import dpserve.bench.client.RequestBodies.SamplingLimits;
import dpserve.bench.metrics.RequestOutcome;
import dpserve.bench.metrics.VerifyReport;
import dpserve.io.SimulatedModel;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Compares replies with what the simulated model must have said. Token ids are compared where the API gives them, the text
 * always.
 */
public final class ReplyVerifier {
    private final SimulatedModel model;
    private int correct;
    private int wrong;
    private int lost;
    private int doubled;
    private int failed;
    private String firstProblem;

    public ReplyVerifier(SimulatedModel model) {
        this.model = model;
    }

    /** Takes one reply into account; a failed request is only counted. */
    public void check(int[] promptIds, SamplingLimits limits, RequestOutcome outcome) {
        switch (outcome.ending()) {
            case FAILED -> {
                failed++;
                problem(outcome, outcome.problem());
            }
            case LOST -> {
                lost++;
                problem(outcome, outcome.problem());
            }
            case COMPLETE -> compare(promptIds, limits, outcome);
        }
    }

    private void compare(int[] promptIds, SamplingLimits limits, RequestOutcome outcome) {
        int[] expected =
                model.expectedOutput(promptIds, limits.maxNewTokens(), limits.minNewTokens(), limits.ignoreEos());
        int[] wanted = expected;
        int[] got = outcome.outputIds();
        if (got == null || Arrays.equals(got, wanted)) {
            wanted = text(expected).codePoints().toArray();
            got = outcome.text().codePoints().toArray();
        }
        if (Arrays.equals(got, wanted) && outcome.problem().isEmpty()) {
            correct++;
            return;
        }
        int at = Arrays.mismatch(got, wanted);
        if (got.length < wanted.length && isSubsequence(got, wanted)) {
            lost++;
            problem(outcome, (wanted.length - got.length) + " of " + wanted.length + " missing, from " + at + " on");
        } else if (got.length > wanted.length && isSubsequence(wanted, got)) {
            doubled++;
            problem(outcome, (got.length - wanted.length) + " more than " + wanted.length + ", from " + at + " on");
        } else {
            wrong++;
            problem(outcome, at < 0 ? outcome.problem() : "differs from " + at + " of " + wanted.length + " on");
        }
    }

    /** What the client is told of these tokens: EOS is not text, and half a character at the end becomes U+FFFD. */
    private String text(int[] ids) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(ids.length * 6);
        for (int id : ids) {
            bytes.writeBytes(model.tokenBytes(id));
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    private static boolean isSubsequence(int[] part, int[] whole) {
        int found = 0;
        for (int i = 0; i < whole.length && found < part.length; i++) {
            if (whole[i] == part[found]) {
                found++;
            }
        }
        return found == part.length;
    }

    private void problem(RequestOutcome outcome, String what) {
        if (firstProblem == null) {
            firstProblem = "request " + outcome.row() + (outcome.rid() == null ? "" : " (" + outcome.rid() + ")") + ": "
                    + what;
        }
    }

    /** The counts so far. */
    public VerifyReport report() {
        return new VerifyReport(correct, wrong, lost, doubled, failed, firstProblem);
    }
}
