package dpserve.io;

import java.util.Map;

/**
 * Reads environment variables with their defaults. SGLang's names where the meaning is the same; ours start with
 * {@code DPSERVE_}. A value that is not a number is an error that names the variable, not a silent default.
 *
 * @param variables normally {@code System.getenv()}
 */
public record Env(Map<String, String> variables) {

    /** The process's own environment. */
    public static Env system() {
        return new Env(System.getenv());
    }

    /**
     * @throws IllegalArgumentException naming the variable and its limits
     */
    public int integer(String name, int defaultValue, int min, int max) {
        String text = variables.get(name);
        if (text == null || text.isBlank()) {
            return defaultValue;
        }
        try {
            int value = Integer.parseInt(text.trim());
            if (value >= min && value <= max) {
                return value;
            }
        } catch (NumberFormatException e) {
            // reported below, together with values out of range
        }
        throw new IllegalArgumentException(name + " must be a whole number from " + min + " to " + max);
    }

    /**
     * @throws IllegalArgumentException naming the variable
     */
    public double number(String name, double defaultValue, double min) {
        String text = variables.get(name);
        if (text == null || text.isBlank()) {
            return defaultValue;
        }
        try {
            double value = Double.parseDouble(text.trim());
            if (value >= min && value < Double.POSITIVE_INFINITY) {
                return value;
            }
        } catch (NumberFormatException e) {
            // reported below, together with values out of range
        }
        throw new IllegalArgumentException(name + " must be a number of at least " + min);
    }
}
