package dpserve.tokenizer.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dpserve.io.message.FinishReason;
import dpserve.tokenizer.BadRequest;

/** Errors in the shape that a client of each API expects. */
public final class ErrorReplies {
    static final int BAD_REQUEST = 400;
    static final int INTERNAL = 500;
    static final int UNAVAILABLE = 503;

    private ErrorReplies() {}

    /** OpenAI: {@code {object, message, type, param, code}}, as SGLang's ErrorResponse. */
    static ObjectNode openAi(int status, String message, String type, String param) {
        ObjectNode error = Exchange.JSON.createObjectNode();
        error.put("object", "error");
        error.put("message", message);
        error.put("type", type);
        error.put("param", param);
        error.put("code", status);
        return error;
    }

    static ObjectNode openAi(BadRequest e) {
        return openAi(BAD_REQUEST, e.getMessage(), "BadRequestError", e.param());
    }

    /** SGLang's own endpoints: {@code {"error": {"message"}}}. */
    public static ObjectNode sglang(String message) {
        ObjectNode body = Exchange.JSON.createObjectNode();
        body.putObject("error").put("message", message);
        return body;
    }

    /** The error of a stream that has begun. */
    static ObjectNode chunk(FinishReason.Abort abort) {
        ObjectNode body = Exchange.JSON.createObjectNode();
        ObjectNode error = body.putObject("error");
        error.put("message", abort.message());
        error.put("type", abort.errType() == null ? "invalid_request_error" : abort.errType());
        error.put("code", status(abort));
        error.put("retryable", status(abort) == UNAVAILABLE);
        return body;
    }

    /** Whether an end is to be told as an HTTP error; an abort without status is an ordinary end. */
    static boolean isError(FinishReason reason) {
        return reason instanceof FinishReason.Abort abort && abort.statusCode() != null;
    }

    static int status(FinishReason.Abort abort) {
        int status = abort.statusCode() == null ? INTERNAL : abort.statusCode();
        // A status from a peer must be one that HTTP knows as an error.
        return status >= BAD_REQUEST && status < 600 ? status : INTERNAL;
    }
}
