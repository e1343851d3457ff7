package dpserve.huggingface;

import com.hubspot.jinjava.Jinjava;
import com.hubspot.jinjava.JinjavaConfig;
import com.hubspot.jinjava.LegacyOverrides;
import com.hubspot.jinjava.el.JinjavaInterpreterResolver;
import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.interpret.RenderResult;
import com.hubspot.jinjava.interpret.TemplateError;
import com.hubspot.jinjava.lib.fn.ELFunctionDefinition;
import dpserve.io.model.ChatTurn;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import jinjava.javax.el.CompositeELResolver;

/**
 * A model's chat template: Jinja with what transformers adds to it ({@code raise_exception}, {@code strftime_now}, blocks
 * trimmed on both sides).
 */
public final class ChatTemplate {
    /** Far more than a prompt that any model takes; a template that makes more loops. */
    private static final int MOST_OUTPUT_BYTES = 64 << 20;

    /** Tools are refused before a template is asked for (the parser of the request names the field). */
    private static final Map<String, String> NO_TOOLS = null;

    private final Jinjava jinjava;
    private final String template;
    private final String bosToken;
    private final String eosToken;

    /**
     * @param template Jinja source
     * @throws IllegalArgumentException if it is none, in the words of the engine
     */
    ChatTemplate(String template, String bosToken, String eosToken) {
        CompositeELResolver resolver = new CompositeELResolver();
        resolver.add(new PythonStrings());
        resolver.add(JinjavaInterpreterResolver.DEFAULT_RESOLVER_READ_ONLY);
        this.jinjava = new Jinjava(JinjavaConfig.newBuilder()
                .withElResolver(resolver)
                .withMaxOutputSize(MOST_OUTPUT_BYTES)
                .withLegacyOverrides(LegacyOverrides.newBuilder()
                        .withEvaluateMapKeys(true)
                        .withIterateOverMapKeys(true)
                        .withWhitespaceRequiredWithinTokens(false)
                        .withParseWhitespaceControlStrictly(true)
                        .withKeepNullableLoopValues(true)
                        .build())
                .build());
        jinjava.getGlobalContext()
                .registerFunction(
                        new ELFunctionDefinition("", "raise_exception", ChatTemplate.class, "raise", String.class));
        jinjava.getGlobalContext()
                .registerFunction(
                        new ELFunctionDefinition("", "strftime_now", ChatTemplate.class, "now", String.class));
        try {
            this.template = TemplateSource.withoutWhitespaceRules(template);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("the chat template is no Jinja: " + e.getMessage(), e);
        }
        this.bosToken = bosToken;
        this.eosToken = eosToken;
        JinjavaInterpreter parser = jinjava.newInterpreter();
        parser.parse(this.template);
        if (!parser.getErrorsCopy().isEmpty()) {
            throw new IllegalArgumentException("the chat template is no Jinja: "
                    + words(parser.getErrorsCopy().get(0)));
        }
    }

    /**
     * The prompt, up to where the assistant's next turn begins.
     *
     * @param content of each message, by its number: what the template is to see of it
     * @throws IllegalArgumentException with the template's own words if it refuses this chat
     */
    String render(List<ChatTurn> turns, IntFunction<String> content) {
        List<Map<String, Object>> messages = new ArrayList<>();
        for (int i = 0; i < turns.size(); i++) {
            messages.add(Map.of("role", turns.get(i).role(), "content", content.apply(i)));
        }
        Map<String, Object> variables = new HashMap<>();
        variables.put("messages", messages);
        variables.put("tools", NO_TOOLS);
        variables.put("documents", NO_TOOLS);
        variables.put("add_generation_prompt", true);
        // Templates ask whether the functions are defined.
        variables.put("raise_exception", true);
        variables.put("strftime_now", true);
        variables.put("bos_token", bosToken);
        variables.put("eos_token", eosToken);
        RenderResult result = jinjava.renderForResult(template, variables);
        if (!result.getErrors().isEmpty()) {
            throw new IllegalArgumentException(
                    "the chat template: " + words(result.getErrors().get(0)));
        }
        return result.getOutput();
    }

    private static String words(TemplateError error) {
        for (Throwable t = error.getException(); t != null; t = t.getCause()) {
            if (t instanceof RefusedException) {
                return t.getMessage();
            }
        }
        return error.getMessage() + " (line " + error.getLineno() + ")";
    }

    /** The template called raise_exception. */
    static final class RefusedException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        RefusedException(String message) {
            super(message);
        }
    }

    /** For templates, by the engine. */
    public static String raise(String message) {
        throw new RefusedException(message);
    }

    /** The local time in a format of C's strftime, as far as templates use it; for templates, by the engine. */
    public static String now(String format) {
        return Strftime.format(format, LocalDateTime.now());
    }
}
