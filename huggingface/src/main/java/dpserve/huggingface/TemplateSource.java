package dpserve.huggingface;

import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Jinja source with its rules for white space applied, so that an engine that takes the rest as it is gives what Python's
 * jinja2 does with {@code trim_blocks} and {@code lstrip_blocks}: they are rules of the text alone. Comments and the
 * marks of what an assistant generated (of use in training only) are gone.
 */
final class TemplateSource {
    private static final Pattern OPEN = Pattern.compile("\\{[%{#]");
    private static final Set<String> WITHOUT_EFFECT = Set.of("generation", "endgeneration");

    private final String source;
    private final StringBuilder out = new StringBuilder();

    /** What has been written of the text since the last tag; its white space may still go. */
    private final StringBuilder text = new StringBuilder();

    private TemplateSource(String source) {
        this.source = source;
    }

    /**
     * @throws IllegalArgumentException if a tag does not end
     */
    static String withoutWhitespaceRules(String template) {
        String whole = template.replace("\r\n", "\n");
        return new TemplateSource(whole.endsWith("\n") ? whole.substring(0, whole.length() - 1) : whole).rewrite();
    }

    private String rewrite() {
        Matcher open = OPEN.matcher(source);
        int at = 0;
        while (open.find(at)) {
            text.append(source, at, open.start());
            at = tag(open.start());
        }
        text.append(source, at, source.length());
        return out.append(text).toString();
    }

    /** Takes the tag that begins here; returns where the text behind it begins. */
    private int tag(int begin) {
        char kind = source.charAt(begin + 1);
        String close = kind == '{' ? "}}" : kind + "}";
        int end = end(begin, kind, close);
        char first = source.charAt(begin + 2);
        char last = source.charAt(end - 1);
        boolean signBefore = first == '-' || first == '+';
        boolean signBehind = end - 1 > begin + 2 && (last == '-' || last == '+');
        if (first == '-') {
            text.setLength(text.toString().stripTrailing().length());
        } else if (kind != '{' && first != '+') {
            int lineEnd = begin;
            while (lineEnd > 0 && isBlank(source.charAt(lineEnd - 1))) {
                lineEnd--;
            }
            if (lineEnd == 0 || source.charAt(lineEnd - 1) == '\n') {
                text.setLength(Math.max(0, text.length() - (begin - lineEnd)));
            }
        }
        out.append(text);
        text.setLength(0);
        String inside = source.substring(begin + (signBefore ? 3 : 2), signBehind ? end - 1 : end);
        if (kind == '%' && !WITHOUT_EFFECT.contains(inside.strip()) || kind == '{') {
            out.append('{').append(kind).append(inside).append(close);
        }
        int after = end + 2;
        if (signBehind && last == '-') {
            while (after < source.length() && Character.isWhitespace(source.charAt(after))) {
                after++;
            }
        } else if (kind != '{' && !(signBehind && last == '+') && source.startsWith("\n", after)) {
            after++;
        }
        return after;
    }

    private static boolean isBlank(char c) {
        return c == ' ' || c == '\t';
    }

    /** Where the close of the tag is: outside of texts in quotes, but in a comment the first. */
    private int end(int begin, char kind, String close) {
        char quote = 0;
        for (int i = begin + 2; i < source.length(); i++) {
            char c = source.charAt(i);
            if (quote == 0 && source.startsWith(close, i)) {
                return i;
            }
            if (kind == '#') {
                continue;
            }
            if (quote != 0 && c == '\\') {
                i++;
            } else if (quote == c) {
                quote = 0;
            } else if (quote == 0 && (c == '\'' || c == '"')) {
                quote = c;
            }
        }
        long line = source.substring(0, begin).chars().filter(c -> c == '\n').count() + 1;
        throw new IllegalArgumentException("the tag in line " + line + " does not end");
    }
}
