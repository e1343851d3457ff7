package dpserve.io.model;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Puts the contents of a chat where the model's template put their marks. A mark stands between two
 * vertical tabs; a template that trims contents loses them, and its contents are trimmed then.
 */
public final class ChatPrompt {
    /** Characters for private use, which no template holds; a role cannot hold them either. */
    private static final Pattern MARK = Pattern.compile("\u000B?\uE000(\\d+)\uE001\u000B?");

    private final List<ChatTurn> messages;
    private final String rendered;

    /** @param rendered the model's format around {@link #mark}s in place of the contents */
    public ChatPrompt(List<ChatTurn> messages, String rendered) {
        this.messages = messages;
        this.rendered = rendered;
    }

    /**
     * A piece of the prompt.
     *
     * @param parseSpecial whether names of special tokens in it are these tokens
     */
    public record Segment(String text, boolean parseSpecial) {}

    /** What to give the template as content of a message. */
    public static String mark(int message) {
        return "\u000B\uE000" + message + "\uE001\u000B";
    }

    /** The whole prompt. */
    String text() {
        StringBuilder text = new StringBuilder();
        segments(Pattern.compile("(?!)")).forEach(s -> text.append(s.text()));
        return text.toString();
    }

    /** The prompt, split only around names of special tokens within contents, which are not to be read as tokens. */
    public List<Segment> segments(Pattern specialNames) {
        List<Segment> segments = new ArrayList<>();
        StringBuilder text = new StringBuilder();
        Matcher mark = MARK.matcher(rendered);
        int end = 0;
        while (mark.find()) {
            text.append(rendered, end, mark.start());
            end = mark.end();
            String content = messages.get(Integer.parseInt(mark.group(1))).content();
            boolean trimmed = !mark.group().equals(mark(Integer.parseInt(mark.group(1))));
            append(trimmed ? content.strip() : content, specialNames, text, segments);
        }
        text.append(rendered, end, rendered.length());
        close(text, true, segments);
        return segments;
    }

    private static void append(String content, Pattern specialNames, StringBuilder text, List<Segment> segments) {
        Matcher name = specialNames.matcher(content);
        int end = 0;
        while (name.find()) {
            text.append(content, end, name.start());
            end = name.end();
            close(text, true, segments);
            text.append(name.group());
            close(text, false, segments);
        }
        text.append(content, end, content.length());
    }

    private static void close(StringBuilder text, boolean parseSpecial, List<Segment> segments) {
        if (text.length() > 0) {
            segments.add(new Segment(text.toString(), parseSpecial));
            text.setLength(0);
        }
    }
}
