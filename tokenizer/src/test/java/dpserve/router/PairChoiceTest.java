package dpserve.router;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.util.List;
import org.junit.jupiter.api.Test;

class PairChoiceTest {
    private static PairChoice.Prefill prefill(int n) {
        return new PairChoice.Prefill(URI.create("http://p" + n + ":1"), 8998);
    }

    @Test
    void shouldTakeTheServersWithTheFewestRequestsInTurn() {
        PairChoice choice = new PairChoice(
                List.of(prefill(0), prefill(1)),
                List.of(URI.create("http://d0:1"), URI.create("http://d1:1"), URI.create("http://d2:1")));
        PairChoice.Pair first = choice.take();
        assertThat(first).isEqualTo(new PairChoice.Pair(0, 0));
        assertThat(choice.take()).isEqualTo(new PairChoice.Pair(1, 1));
        assertThat(choice.take()).isEqualTo(new PairChoice.Pair(0, 2));
        choice.release(first);
        assertThat(choice.take()).isEqualTo(new PairChoice.Pair(1, 0));
        assertThat(choice.running()).isEqualTo(3);
    }
}
