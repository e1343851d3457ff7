package dpserve.tokenizer.http;

import java.util.Map;

/**
 * Facts about this server.
 *
 * @param version of this project
 * @param contextLength most tokens of a prompt and its reply together
 * @param startedEpochSeconds when the worker started
 * @param arguments flags by SGLang's names, as /server_info shows them
 * @param model what this process knows of model and vocabulary, by SGLang's names, as /model_info shows it; null for what it
 *     does not know
 */
public record ServerInfo(
        String version,
        int contextLength,
        double startedEpochSeconds,
        Map<String, Object> arguments,
        Map<String, Object> model) {

    /** How long the pages wait for answers of other processes: three heartbeat timeouts. */
    public static final long ANSWER_LIMIT_NS = 2_500_000_000L;
}
