package dpserve.router.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import dpserve.tokenizer.BadRequest;
import org.junit.jupiter.api.Test;

class WeighedBodyTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    private static long weigh(String body) throws Exception {
        return WeighedBody.of(JSON.readTree(body)).bytes();
    }

    @Test
    void shouldCountWhatABodyTakesInMemoryAndNotOnItsWay() throws Exception {
        long empty = weigh("{}");
        assertThat(weigh("{\"a\": [1, 2, 3]}") - empty).isEqualTo(95 + 3 * 32);
        assertThat(weigh("{\"a\": \"" + "x".repeat(1000) + "\"}") - empty).isEqualTo(32 + 2000);
        assertThat(weigh("{\"a\": [" + "{},".repeat(999) + "{}]}") - empty).isEqualTo(1001 * 95);
        assertThat(weigh("{\"a\": null, \"b\": true, \"c\": 1.5}") - empty).isEqualTo(3 * 32);
    }

    @Test
    void shouldRefuseWhatIsNoObject() throws Exception {
        assertThatThrownBy(() -> weigh("[1]")).isInstanceOf(BadRequest.class);
    }
}
