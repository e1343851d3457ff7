package dpserve.huggingface;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dpserve.io.model.ChatTurn;
import java.time.LocalDateTime;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Templates in the manner of those that models bring along; what they give was made with Python's jinja2. */
class ChatTemplateTest {
    private static final List<ChatTurn> CHAT = List.of(
            new ChatTurn("system", "Be kind."),
            new ChatTurn("user", "Hi"),
            new ChatTurn("assistant", " Hello! "),
            new ChatTurn("user", "How are you?"));

    private static String render(String template, List<ChatTurn> chat) {
        return new ChatTemplate(template, "<s>", "</s>")
                .render(chat, i -> chat.get(i).content());
    }

    @Test
    void shouldRenderTurnsBetweenMarks() {
        String template = "{%- for message in messages %}\n"
                + "    {{- '<|im_start|>' + message['role'] + '\\n' + message['content'] | trim + '<|im_end|>\\n' }}\n"
                + "{%- endfor %}\n"
                + "{%- if add_generation_prompt %}\n    {{- '<|im_start|>assistant\\n' }}\n{%- endif %}\n";
        assertThat(render(template, CHAT))
                .isEqualTo("<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
                        + "<|im_start|>assistant\nHello!<|im_end|>\n<|im_start|>user\nHow are you?<|im_end|>\n"
                        + "<|im_start|>assistant\n");
    }

    @Test
    void shouldKnowSlicesNamespacesAndTests() {
        String template = "{{- bos_token }}\n"
                + "{%- if messages[0]['role'] == 'system' %}\n"
                + "    {%- set system_message = messages[0]['content']|trim %}\n"
                + "    {%- set messages = messages[1:] %}\n"
                + "{%- else %}\n    {%- set system_message = '' %}\n{%- endif %}\n"
                + "{%- set ns = namespace(seen=0) %}\n"
                + "{%- if tools is defined and tools is not none %}{{- 'tools' }}{%- endif %}\n"
                + "{{- '[' ~ system_message ~ ']' }}\n"
                + "{%- for m in messages %}\n"
                + "    {%- if m.role == 'user' and not loop.last %}{{- 'Q' ~ loop.index0 ~ ':' ~ m.content }}\n"
                + "    {%- elif m.role in ['assistant', 'model'] %}{{- 'A:' ~ m['content'].strip() ~ eos_token }}\n"
                + "    {%- else %}{{- 'L:' ~ m.content.upper() }}{%- endif %}\n"
                + "    {%- set ns.seen = ns.seen + 1 %}\n"
                + "{%- endfor %}\n"
                + "{{- '(' ~ ns.seen ~ ')' }}";
        assertThat(render(template, CHAT)).isEqualTo("<s>[Be kind.]Q0:HiA:Hello!</s>L:HOW ARE YOU?(3)");
    }

    @Test
    void shouldRefuseInTheTemplatesOwnWords() {
        String template = "{% for m in messages %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}"
                + "{{ raise_exception('Roles must alternate!') }}{% endif %}{{ m['content'] }}{% endfor %}";
        assertThat(render(template, List.of(new ChatTurn("user", "a")))).isEqualTo("a");
        assertThatThrownBy(() -> render(template, CHAT))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("the chat template: Roles must alternate!");
    }

    @Test
    void shouldTrimBlocksOnBothSides() {
        assertThat(render("a\n  {% if true %}\nb\n  {% endif %}\nc\n", CHAT)).isEqualTo("a\nb\nc");
    }

    @Test
    void shouldRefuseWhatIsNoTemplate() {
        assertThatThrownBy(() -> new ChatTemplate("{% for m in %}{{ m }", "", ""))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("the chat template is no Jinja");
    }

    @Test
    void shouldWriteDatesAsStrftime() {
        LocalDateTime time = LocalDateTime.of(2026, 3, 5, 14, 7, 9);
        assertThat(Strftime.format("%d %b %Y, %A %B %e %H:%M:%S %p %%", time))
                .isEqualTo("05 Mar 2026, Thursday March  5 14:07:09 PM %");
        assertThatThrownBy(() -> Strftime.format("%Q", time)).hasMessageContaining("%Q");
        assertThat(render("{{ strftime_now('%Y') }}", CHAT)).matches("[0-9]{4}");
    }
}
