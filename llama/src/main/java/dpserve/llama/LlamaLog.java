package dpserve.llama;

import com.sun.jna.Pointer;

/**
 * Takes llama.cpp's log, which otherwise fills stderr, and keeps only its newest warnings and errors, to say why a call
 * failed.
 */
final class LlamaLog implements LlamaLibrary.LogCallback {
    private static final String UTF_8 = "UTF-8";

    /** {@code GGML_LOG_LEVEL_WARN}; the one above it is ERROR, and CONT goes on with the line before. */
    private static final int WARN = 3;

    private static final int CONT = 5;

    /** A few lines: the first names the cause, those after it only say that nothing came of it. */
    private static final int MAX_CHARS = 2_000;

    private final StringBuilder kept = new StringBuilder();
    private boolean keeping;

    @Override
    public synchronized void invoke(int level, Pointer text, Pointer userData) {
        keeping = level == CONT ? keeping : level >= WARN;
        if (keeping && text != null && kept.length() < MAX_CHARS) {
            kept.append(text.getString(0, UTF_8));
        }
    }

    /** What was kept since the last call, as one line that follows a message; empty if nothing was. */
    synchronized String take() {
        String text = kept.toString().strip().replaceAll("\\s*\\n\\s*", "; ");
        kept.setLength(0);
        return text.isEmpty() ? "" : ": " + text;
    }
}
