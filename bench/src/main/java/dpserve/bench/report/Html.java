package dpserve.bench.report;

import java.util.Locale;

/** Text and numbers as they stand in HTML and SVG. */
final class Html {
    private Html() {}

    /** A text with everything escaped that means something in HTML, in elements and in attributes alike. */
    static String escape(String text) {
        StringBuilder out = new StringBuilder(text.length() + 16);
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '&' -> out.append("&amp;");
                case '<' -> out.append("&lt;");
                case '>' -> out.append("&gt;");
                case '"' -> out.append("&quot;");
                case '\'' -> out.append("&#39;");
                default -> out.append(c < ' ' && c != '\n' && c != '\t' ? ' ' : c);
            }
        }
        return out.toString();
    }

    /** A coordinate: a tenth of a pixel is enough. */
    static String px(double value) {
        double tenths = Math.round(value * 10) / 10.0;
        return tenths == (long) tenths ? Long.toString((long) tenths) : Double.toString(tenths);
    }

    /** A figure for people: about three digits, thousands separated, no exponent. */
    static String number(double value) {
        if (!Double.isFinite(value)) {
            return "–";
        }
        double size = Math.abs(value);
        if (value == Math.rint(value) || size >= 1000) {
            return String.format(Locale.ROOT, "%,.0f", value);
        }
        int digits = size >= 100 ? 1 : size >= 1 ? 2 : size >= 0.01 ? 3 : 5;
        String text = String.format(Locale.ROOT, "%." + digits + "f", value);
        return text.replaceAll("0+$", "").replaceAll("\\.$", "");
    }
}
