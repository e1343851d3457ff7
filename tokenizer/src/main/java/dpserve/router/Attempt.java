package dpserve.router;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;

/** What the attempts of one client request have in common: its body, and what the client was sent so far. Pure. */
public final class Attempt {
    private final RoutedBody body;
    private final ReceivedOutput received;

    /**
     * @param path of the request: {@code /generate} or one of OpenAI's
     * @param body the client's
     * @param rid a name for a request that has none
     */
    public Attempt(String path, ObjectNode body, String rid) {
        this.body = new RoutedBody(path, body, rid);
        this.received = new ReceivedOutput(this.body.openAi(), this.body.sequences() == 1, this.body.idsWanted());
        JsonNode own = this.body.ownResume();
        if (own != null) {
            received.begin(own);
        }
    }

    /** The body for one half of a pair, with what was received so far to go on behind it. */
    public ObjectNode body(boolean prefill, String bootstrapHost, int bootstrapPort, long room) {
        return body.of(prefill, bootstrapHost, bootstrapPort, room, received);
    }

    /**
     * Takes an event of the decode half.
     *
     * @return what the client is to see of it, or null for nothing
     * @throws IOException if it is no JSON
     */
    public byte[] take(byte[] event) throws IOException {
        return received.take(event);
    }

    /** Whether another attempt can go on behind what the client has: not with log probabilities, once there is any. */
    public boolean canGoOn() {
        return received.isEmpty() || !body.wantsLogprobs();
    }

    /** Rooms that an attempt takes: one for each sequence. */
    public int rooms() {
        return body.sequences();
    }

    /** Whether the client's name for the request is this one. */
    public boolean isNamed(String rid) {
        return body.isNamed(rid);
    }

    /** Whether each sequence has made output in this attempt, or has ended: then no prefill half is needed any more. */
    public boolean hasBegun() {
        return received.hasBegun(body.sequences());
    }

    /** Another attempt begins. */
    public void beginAttempt() {
        received.beginAttempt();
    }
}
