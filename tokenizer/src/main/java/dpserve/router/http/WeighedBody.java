package dpserve.router.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dpserve.tokenizer.BadRequest;

/**
 * The body of a request, which is kept for further attempts.
 *
 * @param bytes about what it takes in memory: much more than it had on its way
 */
record WeighedBody(ObjectNode json, long bytes) {
    /** An object or array with its table, and the entry that holds it: what {@code {},} takes at worst, measured on a 64-bit JVM. */
    private static final int CONTAINER_BYTES = 95;

    /** Any other value, and its place in what holds it. */
    private static final int VALUE_BYTES = 32;

    /** Of text that is not Latin-1. */
    private static final int CHARACTER_BYTES = 2;

    /** @throws BadRequest if it is no object */
    static WeighedBody of(JsonNode body) throws BadRequest {
        if (!body.isObject()) {
            throw new BadRequest(null, "The request body must be a JSON object.");
        }
        return new WeighedBody((ObjectNode) body, weigh(body));
    }

    private static long weigh(JsonNode node) {
        if (node.isTextual()) {
            return VALUE_BYTES + (long) node.textValue().length() * CHARACTER_BYTES;
        }
        long bytes = node.isContainerNode() ? CONTAINER_BYTES : VALUE_BYTES;
        for (JsonNode child : node) {
            bytes += weigh(child);
        }
        return bytes;
    }
}
