package dpserve.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;

/**
 * Typed access to the fields of a JSON object. An absent field and null mean the default; a field of another type is a
 * {@link BadRequest} that names it.
 *
 * @param node the object
 * @param prefix put before field names in errors, such as {@code sampling_params.}
 */
public record Fields(JsonNode node, String prefix) {

    /** The body of a request, which must be an object. */
    public static Fields ofBody(JsonNode body) throws BadRequest {
        if (body == null || !body.isObject()) {
            throw new BadRequest(null, "The request body must be a JSON object.");
        }
        return new Fields(body, "");
    }

    /** The field, or null if it is absent or null. */
    public JsonNode get(String name) {
        JsonNode value = node.get(name);
        return value == null || value.isNull() ? null : value;
    }

    /** The field as text, or the default. */
    public String text(String name, String defaultValue) throws BadRequest {
        JsonNode value = get(name);
        if (value == null) {
            return defaultValue;
        }
        if (!value.isTextual()) {
            throw wrong(name, "a string");
        }
        return wellFormed(name, value.textValue());
    }

    /**
     * The field as text of bounded length, or null: for names that other processes keep.
     *
     * @param maxLength most characters
     */
    public String name(String name, int maxLength) throws BadRequest {
        String value = text(name, null);
        if (value != null && (value.isEmpty() || value.length() > maxLength)) {
            throw new BadRequest(prefix + name, prefix + name + " must have 1 to " + maxLength + " characters.");
        }
        return value;
    }

    /** JSON can spell half a character, which neither UTF-8 nor any other process can. */
    String wellFormed(String name, String text) throws BadRequest {
        for (int i = 0; i < text.length(); i++) {
            if (Character.isSurrogate(text.charAt(i)) && Character.charCount(text.codePointAt(i++)) == 1) {
                throw new BadRequest(prefix + name, prefix + name + " holds an unpaired surrogate.");
            }
        }
        return text;
    }

    /** The field as a bool, or the default. */
    public boolean bool(String name, boolean defaultValue) throws BadRequest {
        JsonNode value = get(name);
        if (value == null) {
            return defaultValue;
        }
        if (!value.isBoolean()) {
            throw wrong(name, "a boolean");
        }
        return value.booleanValue();
    }

    /** The field as a whole number of 32 bits, or the default. */
    public Integer integer(String name, Integer defaultValue) throws BadRequest {
        JsonNode value = get(name);
        if (value == null) {
            return defaultValue;
        }
        if (!value.isIntegralNumber() || !value.canConvertToInt()) {
            throw wrong(name, "an integer of 32 bits");
        }
        return value.intValue();
    }

    /** The field as a whole number of 64 bits, or null. */
    public Long longInteger(String name) throws BadRequest {
        JsonNode value = get(name);
        if (value == null) {
            return null;
        }
        if (!value.isIntegralNumber() || !value.canConvertToLong()) {
            throw wrong(name, "an integer of 64 bits");
        }
        return value.longValue();
    }

    /** The field as a number, or the default. */
    public double number(String name, double defaultValue) throws BadRequest {
        JsonNode value = get(name);
        if (value == null) {
            return defaultValue;
        }
        if (!value.isNumber()) {
            throw wrong(name, "a number");
        }
        double number = value.doubleValue();
        if (!Double.isFinite(number)) {
            throw wrong(name, "a finite number");
        }
        return number;
    }

    /** The field as an object. */
    public Fields object(String name) throws BadRequest {
        JsonNode value = get(name);
        if (value != null && !value.isObject()) {
            throw wrong(name, "an object");
        }
        return value == null ? null : new Fields(value, prefix + name + ".");
    }

    /** One text or a list of texts; empty if absent. */
    public List<String> textOrList(String name) throws BadRequest {
        JsonNode value = get(name);
        if (value == null) {
            return List.of();
        }
        if (value.isTextual()) {
            return List.of(wellFormed(name, value.textValue()));
        }
        if (!value.isArray()) {
            throw wrong(name, "a string or a list of strings");
        }
        List<String> texts = new ArrayList<>();
        for (JsonNode item : value) {
            if (!item.isTextual()) {
                throw wrong(name, "a string or a list of strings");
            }
            texts.add(wellFormed(name, item.textValue()));
        }
        return texts;
    }

    /** A list of whole numbers; null if absent. */
    public int[] integers(String name) throws BadRequest {
        JsonNode value = get(name);
        return value == null ? null : integers(value, name);
    }

    /** A list of whole numbers. */
    public int[] integers(JsonNode list, String name) throws BadRequest {
        if (!list.isArray()) {
            throw wrong(name, "a list of integers");
        }
        int[] values = new int[list.size()];
        for (int i = 0; i < values.length; i++) {
            JsonNode item = list.get(i);
            if (!item.isIntegralNumber() || !item.canConvertToInt()) {
                throw wrong(name, "a list of integers");
            }
            values[i] = item.intValue();
        }
        return values;
    }

    /** Refuses fields that ask for something this server cannot do; false, zero and empty values ask for nothing. */
    public void refuse(String... names) throws BadRequest {
        for (String name : names) {
            if (asks(node.path(name))) {
                throw new BadRequest(prefix + name, prefix + name + " is not supported by this server.");
            }
        }
    }

    private static boolean asks(JsonNode value) {
        if (value.isArray()) {
            for (JsonNode item : value) {
                if (item.isObject() || asks(item)) {
                    return true;
                }
            }
            return false;
        }
        return value.isBoolean() && value.booleanValue()
                || value.isNumber() && value.doubleValue() != 0
                || value.isTextual() && !value.textValue().isEmpty()
                || value.isObject() && !value.isEmpty();
    }

    private BadRequest wrong(String name, String expected) {
        return new BadRequest(prefix + name, prefix + name + " must be " + expected + ".");
    }
}
