package dpserve.bench.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import dpserve.detokenizer.ExpectedReply;
import dpserve.detokenizer.WholeText;
import dpserve.io.model.Vocabulary;
import java.util.Arrays;

/**
 * Follows one reply of /generate, event by event (a reply in one piece is one event), and says what is wrong with it. A reply
 * must be a beginning of the expected output at any time, and end exactly once.
 */
public final class ReplyJudge {
    private static final int UNAVAILABLE = 503;

    private final ChaosRequest request;
    private final ExpectedReply expected;
    private final Vocabulary vocabulary;
    private final boolean incremental;
    private String text = "";
    private int[] ids = {};
    private String end;
    private String problem;

    /** How a request ended. */
    public enum Verdict {
        /** With the whole expected output. */
        WHOLE,
        /** Aborted because it was asked for, with a beginning of the expected output. */
        ABORTED,
        /** Not taken on, with status 503. */
        REFUSED,
        /** In no way it may; {@link ReplyJudge#problem} says why. */
        WRONG
    }

    /** @param incremental whether an event of a stream carries only what is new */
    public ReplyJudge(ChaosRequest request, ExpectedReply expected, Vocabulary vocabulary, boolean incremental) {
        this.request = request;
        this.expected = expected;
        this.vocabulary = vocabulary;
        this.incremental = incremental && request.kind().isStream();
    }

    /** A reply with another status than 200, instead of all events. */
    public void refusal(int status, String body) {
        end = status == UNAVAILABLE ? "refused" : "status " + status + ": " + body;
    }

    /** One event. */
    public void event(JsonNode event) {
        if (end != null) {
            fail("an event after the end: " + event);
            return;
        }
        JsonNode error = event.path("error");
        JsonNode finish = event.path("meta_info").path("finish_reason");
        if (!error.isMissingNode()) {
            end = isUnavailable(error.path("code")) ? "refused" : "error: " + error;
            return;
        }
        take(event);
        if (!finish.isNull()) {
            end = isUnavailable(finish.path("status_code"))
                    ? "refused"
                    : finish.path("type").asText("no finish_reason");
        }
        if (event.path("meta_info").path("completion_tokens").asInt(-1) != ids.length && !end("refused")) {
            fail(ids.length + " output ids, but completion_tokens in " + event);
        }
        if (!isBeginning(ids, expected.outputIds())) {
            fail("output ids differ from what is expected: " + event);
        } else if (end == null && !expected.text().startsWith(text)) {
            fail("the text is no beginning of what is expected: " + event);
        }
    }

    private void take(JsonNode event) {
        JsonNode array = event.path("output_ids");
        int had = incremental ? ids.length : 0;
        int[] all = Arrays.copyOf(ids, had + array.size());
        for (int i = 0; i < array.size(); i++) {
            all[had + i] = array.get(i).asInt();
        }
        if (all.length < ids.length) {
            fail("the output became shorter: " + event);
        }
        ids = all;
        text = incremental
                ? text + event.path("text").asText()
                : event.path("text").asText();
    }

    /** What became of it, when the reply is over. */
    public Verdict verdict() {
        if (problem == null && end == null) {
            problem = "the reply ended without saying how";
        } else if (problem == null && end("abort") && request.kind().isCutShort()) {
            if (!WholeText.reply(vocabulary, request.prompt(), ids, true).equals(text)) {
                problem = "aborted with a text that its ids do not make: " + text;
            }
        } else if (problem == null && !end("refused")) {
            if (!end.equals(expected.finishReason().type()) || !Arrays.equals(ids, expected.outputIds())) {
                problem = "ended by " + end + " after " + ids.length + " tokens, expected "
                        + expected.finishReason().type() + " after " + expected.outputIds().length;
            } else if (!text.equals(expected.text())) {
                problem = "its ids are as expected, its text is not: " + text;
            }
        }
        if (problem != null) {
            return Verdict.WRONG;
        }
        return end("refused") ? Verdict.REFUSED : end("abort") ? Verdict.ABORTED : Verdict.WHOLE;
    }

    /** The first thing that was wrong; null if nothing was. */
    public String problem() {
        return problem;
    }

    private boolean end(String how) {
        return how.equals(end);
    }

    private void fail(String what) {
        if (problem == null) {
            problem = what;
        }
    }

    private static boolean isUnavailable(JsonNode code) {
        return code.asInt() == UNAVAILABLE;
    }

    private static boolean isBeginning(int[] part, int[] whole) {
        return part.length <= whole.length && Arrays.equals(part, 0, part.length, whole, 0, part.length);
    }
}
