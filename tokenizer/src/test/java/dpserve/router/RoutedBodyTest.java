package dpserve.router;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.junit.jupiter.api.Test;

class RoutedBodyTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @Test
    void shouldShareWhatIsLongAndLeaveTheClientsBodyAsItIs() throws Exception {
        ObjectNode client =
                (ObjectNode) JSON.readTree("{\"input_ids\": [1, 2], \"stream\": true, \"stream_options\": {}}");
        ObjectNode before = client.deepCopy();
        RoutedBody body = new RoutedBody("/generate", client, "r");
        ObjectNode prefill = body.of(true, "h", 1, 2, new ReceivedOutput(false, true, false));
        ObjectNode decode = body.of(false, "h", 1, 2, new ReceivedOutput(false, true, false));
        assertThat(prefill.get("input_ids"))
                .as("a tree takes far more than a body")
                .isSameAs(client.get("input_ids"));
        assertThat(decode.get("input_ids")).isSameAs(client.get("input_ids"));
        assertThat(decode.get("stream").booleanValue()).isTrue();
        assertThat(prefill.get("stream").booleanValue()).isFalse();
        assertThat(decode.has("stream_options")).isTrue();
        assertThat(prefill.has("stream_options")).isFalse();
        assertThat(client).isEqualTo(before);
    }
}
