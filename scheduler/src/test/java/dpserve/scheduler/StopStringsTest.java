package dpserve.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class StopStringsTest {
    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static StopStrings stops(String... stops) {
        return new StopStrings(List.of(stops));
    }

    @Test
    void shouldFindAStopStringAcrossTokens() {
        StopStrings s = stops("end of");
        assertThat(s.append(utf8("the e"))).isNull();
        assertThat(s.append(utf8("nd "))).isNull();
        assertThat(s.append(utf8("of it"))).isEqualTo("end of");
    }

    @Test
    void shouldFindAStopStringWhoseCharactersAreSplit() {
        byte[] bytes = utf8("né漢");
        StopStrings s = stops("é漢");
        for (int i = 0; i < bytes.length - 1; i++) {
            assertThat(s.append(new byte[] {bytes[i]})).isNull();
        }
        assertThat(s.append(new byte[] {bytes[bytes.length - 1]})).isEqualTo("é漢");
    }

    @Test
    void shouldHoldBackWhileTheTailMayBecomeAStopString() {
        StopStrings s = stops("abcd", "xyz");
        s.append(utf8("..ab"));
        assertThat(s.endsInside()).isTrue();
        s.append(utf8("."));
        assertThat(s.endsInside()).isFalse();
        s.append(utf8("xy"));
        assertThat(s.endsInside()).isTrue();
    }

    @Test
    void shouldPreferTheFirstOfTheList() {
        assertThat(stops("b", "ab").append(utf8("ab"))).isEqualTo("b");
        assertThat(stops("ab", "b").append(utf8("ab"))).isEqualTo("ab");
    }

    @Test
    void shouldMatchAcrossTheBorderOfAnEarlierAttemptButNotInsideIt() {
        StopStrings s = stops("stop");
        s.prime(utf8("stop st"));
        assertThat(s.endsInside()).isTrue();
        assertThat(s.append(utf8("o"))).isNull();
        assertThat(s.append(utf8("p"))).isEqualTo("stop");
    }

    @Test
    void shouldPassOverEmptyStopStringsAndEmptyTokens() {
        StopStrings s = stops("", "x");
        assertThat(s.append(new byte[0])).isNull();
        assertThat(s.endsInside()).isFalse();
        assertThat(s.append(utf8("x"))).isEqualTo("x");
    }

    @Test
    void shouldFindWhatASearchOfTheWholeTextFinds() {
        Random random = new Random(5);
        for (int round = 0; round < 2000; round++) {
            String text = letters(random, 40);
            String a = letters(random, 1 + random.nextInt(5));
            String b = letters(random, 1 + random.nextInt(9));
            StopStrings s = stops(a, b);
            for (int at = 0; at < text.length(); ) {
                int next = Math.min(text.length(), at + random.nextInt(7));
                String sofar = text.substring(0, next);
                String expected = Arrays.asList(a, b).stream()
                        .filter(sofar::contains)
                        .findFirst()
                        .orElse(null);
                String found = s.append(utf8(text.substring(at, next)));
                assertThat(found).isEqualTo(expected);
                if (found != null) {
                    break;
                }
                boolean inside = false;
                for (String stop : List.of(a, b)) {
                    for (int n = 1; n < stop.length(); n++) {
                        inside |= sofar.endsWith(stop.substring(0, n));
                    }
                }
                assertThat(s.endsInside()).isEqualTo(inside);
                at = next;
            }
        }
    }

    private static String letters(Random random, int length) {
        StringBuilder b = new StringBuilder();
        random.ints(length, 0, 3).forEach(i -> b.append((char) ('a' + i)));
        return b.toString();
    }
}
