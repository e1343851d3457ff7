package dpserve.bench.verify;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dpserve.bench.client.Backend;
import dpserve.bench.metrics.RequestOutcome;
import dpserve.bench.metrics.VerifyReport;
import dpserve.detokenizer.ExpectedReply;
import dpserve.io.SimulatedModel;
import dpserve.io.model.Vocabulary;
import dpserve.tokenizer.BadRequest;
import dpserve.tokenizer.GenerateParser;
import dpserve.tokenizer.GenerateRequest;
import dpserve.tokenizer.OpenAiParser;
import dpserve.tokenizer.PromptLimits;
import dpserve.tokenizer.SequenceSpec;
import java.io.IOException;
import java.util.Arrays;

/**
 * Compares replies with what the simulated model must have said. Token ids are compared where the API gives them, the text
 * always.
 */
public final class ReplyVerifier {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** The server has checked the lengths already. */
    private static final PromptLimits NO_LIMITS = new PromptLimits(Integer.MAX_VALUE, () -> Integer.MAX_VALUE);

    private final SimulatedModel model = SimulatedModel.create();
    private final Vocabulary vocabulary;
    private final Backend backend;
    private int correct;
    private int wrong;
    private int lost;
    private int doubled;
    private int failed;
    private String firstProblem;

    /** @param vocabulary the server's */
    public ReplyVerifier(Backend backend, Vocabulary vocabulary) {
        this.backend = backend;
        this.vocabulary = vocabulary;
    }

    /**
     * Takes one reply into account; a failed request is only counted.
     *
     * @param body the request, from which prompt and parameters are read as the server reads them
     */
    public void check(byte[] body, RequestOutcome outcome) {
        switch (outcome.ending()) {
            case FAILED -> failed += problem(outcome, outcome.problem());
            case LOST -> lost += problem(outcome, outcome.problem());
            case COMPLETE -> compare(expected(body), outcome);
        }
    }

    private ExpectedReply expected(byte[] body) {
        try {
            JsonNode fields = JSON.readTree(body);
            OpenAiParser openAi = new OpenAiParser(vocabulary, NO_LIMITS, () -> "");
            GenerateRequest request = switch (backend) {
                case COMPLETIONS -> openAi.parseCompletion(fields, "").generate();
                case CHAT -> openAi.parseChat(fields, "").generate();
                default -> new GenerateParser(vocabulary, NO_LIMITS, () -> "").parse(fields);
            };
            SequenceSpec sequence = request.sequences().get(0);
            return ExpectedReply.of(model, vocabulary, sequence.inputIds(), sequence.samplingParams());
        } catch (IOException | BadRequest e) {
            throw new IllegalStateException("a request the server took cannot be read: " + e.getMessage());
        }
    }

    private void compare(ExpectedReply expected, RequestOutcome outcome) {
        int[] wanted = expected.outputIds();
        int[] got = outcome.outputIds();
        if (got == null || Arrays.equals(got, wanted)) {
            wanted = expected.text().codePoints().toArray();
            got = outcome.text().codePoints().toArray();
        }
        int at = Arrays.mismatch(got, wanted);
        if (at < 0 && outcome.problem().isEmpty()) {
            correct++;
        } else if (got.length < wanted.length && isSubsequence(got, wanted)) {
            lost += problem(
                    outcome, wanted.length - got.length + " of " + wanted.length + " missing, from " + at + " on");
        } else if (got.length > wanted.length && isSubsequence(wanted, got)) {
            doubled += problem(
                    outcome, got.length - wanted.length + " more than " + wanted.length + ", from " + at + " on");
        } else {
            String difference = "differs from " + at + " of " + wanted.length + " on";
            wrong += problem(outcome, at < 0 ? outcome.problem() : difference);
        }
    }

    private static boolean isSubsequence(int[] part, int[] whole) {
        int found = 0;
        for (int i = 0; i < whole.length && found < part.length; i++) {
            found += whole[i] == part[found] ? 1 : 0;
        }
        return found == part.length;
    }

    /** Keeps the first; always 1. */
    private int problem(RequestOutcome outcome, String what) {
        if (firstProblem == null) {
            String rid = outcome.rid() == null ? "" : " (" + outcome.rid() + ")";
            firstProblem = "request " + outcome.row() + rid + ": " + what;
        }
        return 1;
    }

    /** The counts so far. */
    public VerifyReport report() {
        return new VerifyReport(correct, wrong, lost, doubled, failed, firstProblem);
    }
}
