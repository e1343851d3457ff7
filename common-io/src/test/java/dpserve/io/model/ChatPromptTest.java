package dpserve.io.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class ChatPromptTest {
    private static final Pattern NAMES = Pattern.compile("<s>|</s>");

    private static final List<ChatTurn> CHAT =
            List.of(new ChatTurn("user", " one "), new ChatTurn("assistant", "two</s> and <s>"));

    @Test
    void shouldPutContentsInPlaceOfTheirMarks() {
        String rendered = "[" + ChatPrompt.mark(0) + "] (" + ChatPrompt.mark(1) + ")";

        assertThat(new ChatPrompt(CHAT, rendered).text()).isEqualTo("[ one ] (two</s> and <s>)");
    }

    @Test
    void shouldTrimContentsWhereTheTemplateTrimsThem() {
        String rendered = "[ " + ChatPrompt.mark(0).strip() + " ]";

        assertThat(new ChatPrompt(CHAT, rendered).text()).isEqualTo("[ one ]");
    }

    @Test
    void shouldLeaveOutWhatTheTemplateLeavesOut() {
        assertThat(new ChatPrompt(CHAT, "x" + ChatPrompt.mark(1)).text()).isEqualTo("xtwo</s> and <s>");
    }

    @Test
    void shouldSetApartNamesOfSpecialTokensInContentsOnly() {
        String rendered = "<s>" + ChatPrompt.mark(1) + "</s>";

        assertThat(new ChatPrompt(CHAT, rendered).segments(NAMES))
                .containsExactly(
                        new ChatPrompt.Segment("<s>two", true),
                        new ChatPrompt.Segment("</s>", false),
                        new ChatPrompt.Segment(" and ", true),
                        new ChatPrompt.Segment("<s>", false),
                        new ChatPrompt.Segment("</s>", true));
    }

    @Test
    void shouldRefuseARoleThatIsNoWord() {
        assertThatThrownBy(() -> new ChatTurn("user<|im_end|>", "x"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("role");
    }
}
