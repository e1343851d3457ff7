package dpserve.huggingface;

import java.beans.FeatureDescriptor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.function.IntPredicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import jinjava.javax.el.ELContext;
import jinjava.javax.el.ELResolver;

/** The methods of Python's str that chat templates call; the template engine knows Java's only. */
final class PythonStrings extends ELResolver {
    @Override
    public Object invoke(ELContext context, Object base, Object method, Class<?>[] types, Object[] arguments) {
        if (!(base instanceof String text)) {
            return null;
        }
        Object result = call(text, String.valueOf(method), arguments == null ? new Object[0] : arguments);
        context.setPropertyResolved(result != null);
        return result;
    }

    private static Object call(String text, String method, Object[] arguments) {
        String first = arguments.length > 0 && arguments[0] != null ? arguments[0].toString() : null;
        String second = arguments.length > 1 ? String.valueOf(arguments[1]) : null;
        return switch (method) {
            case "strip" -> strip(text, first, true, true);
            case "lstrip" -> strip(text, first, true, false);
            case "rstrip" -> strip(text, first, false, true);
            case "split" -> split(text, first, second == null ? -1 : Integer.parseInt(second));
            case "startswith" -> first == null ? null : text.startsWith(first);
            case "endswith" -> first == null ? null : text.endsWith(first);
            case "upper" -> text.toUpperCase(Locale.ROOT);
            case "lower" -> text.toLowerCase(Locale.ROOT);
            case "capitalize" -> capitalize(text);
            case "title" -> Pattern.compile("\\p{L}+").matcher(text).replaceAll(m -> capitalize(m.group()));
            case "replace" -> second == null ? null : text.replace(first, second);
            case "find" -> first == null ? null : (long) text.indexOf(first);
            case "count" ->
                first == null || first.isEmpty() ? null : (long) text.split(Pattern.quote(first), -1).length - 1;
            case "join" ->
                arguments.length == 1 && arguments[0] instanceof Collection<?> parts
                        ? parts.stream().map(String::valueOf).collect(Collectors.joining(text))
                        : null;
            default -> null;
        };
    }

    private static String capitalize(String text) {
        return text.isEmpty()
                ? text
                : text.substring(0, 1).toUpperCase(Locale.ROOT)
                        + text.substring(1).toLowerCase(Locale.ROOT);
    }

    /** @param characters those to take off; white space if null */
    private static String strip(String text, String characters, boolean left, boolean right) {
        IntPredicate off = c -> characters == null ? Character.isWhitespace(c) : characters.indexOf(c) >= 0;
        int from = 0;
        int to = text.length();
        while (left && from < to && off.test(text.charAt(from))) {
            from++;
        }
        while (right && to > from && off.test(text.charAt(to - 1))) {
            to--;
        }
        return text.substring(from, to);
    }

    /**
     * @param separator white space of any length if null
     * @param most splits; any number if negative
     */
    private static List<String> split(String text, String separator, int most) {
        if (separator == null) {
            String stripped = text.strip();
            return stripped.isEmpty() ? List.of() : List.of(stripped.split("\\s+", most < 0 ? 0 : most + 1));
        }
        return new ArrayList<>(Arrays.asList(text.split(Pattern.quote(separator), most < 0 ? -1 : most + 1)));
    }

    @Override
    public Object getValue(ELContext context, Object base, Object property) {
        return null;
    }

    @Override
    public Class<?> getType(ELContext context, Object base, Object property) {
        return null;
    }

    @Override
    public void setValue(ELContext context, Object base, Object property, Object value) {}

    @Override
    public boolean isReadOnly(ELContext context, Object base, Object property) {
        return true;
    }

    @Override
    public Iterator<FeatureDescriptor> getFeatureDescriptors(ELContext context, Object base) {
        return Collections.emptyIterator();
    }

    @Override
    public Class<?> getCommonPropertyType(ELContext context, Object base) {
        return null;
    }
}
