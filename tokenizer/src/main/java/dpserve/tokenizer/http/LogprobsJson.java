package dpserve.tokenizer.http;

import com.fasterxml.jackson.core.JsonGenerator;
import dpserve.io.model.NextToken;
import dpserve.io.model.Vocabulary;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Log probabilities as the APIs show them. A token that is no whole text shows U+FFFD; OpenAI's chat adds its bytes. */
record LogprobsJson(Vocabulary vocabulary) {

    /** SGLang's {@code output_token_logprobs} and its like: {@code [logprob, id, text or null]} for each token. */
    void sglang(JsonGenerator g, List<NextToken> tokens, int top, boolean withText) throws IOException {
        g.writeArrayFieldStart("input_token_logprobs");
        g.writeEndArray();
        g.writeArrayFieldStart("output_token_logprobs");
        for (NextToken token : tokens) {
            triple(g, token.logprob(), token.id(), withText);
        }
        g.writeEndArray();
        if (top == 0) {
            return;
        }
        g.writeArrayFieldStart("input_top_logprobs");
        g.writeEndArray();
        g.writeArrayFieldStart("output_top_logprobs");
        for (NextToken token : tokens) {
            g.writeStartArray();
            for (int i = 0; i < token.topIds().length; i++) {
                triple(g, token.topLogprobs()[i], token.topIds()[i], withText);
            }
            g.writeEndArray();
        }
        g.writeEndArray();
    }

    private void triple(JsonGenerator g, double logprob, int id, boolean withText) throws IOException {
        g.writeStartArray();
        g.writeNumber(logprob);
        g.writeNumber(id);
        if (withText) {
            g.writeString(text(id));
        } else {
            g.writeNull();
        }
        g.writeEndArray();
    }

    /** The object of a chat's choice. */
    void chat(JsonGenerator g, List<NextToken> tokens) throws IOException {
        g.writeObjectFieldStart("logprobs");
        g.writeArrayFieldStart("content");
        for (NextToken token : tokens) {
            g.writeStartObject();
            named(g, token.id(), token.logprob());
            g.writeArrayFieldStart("top_logprobs");
            for (int i = 0; i < token.topIds().length; i++) {
                g.writeStartObject();
                named(g, token.topIds()[i], token.topLogprobs()[i]);
                g.writeEndObject();
            }
            g.writeEndArray();
            g.writeEndObject();
        }
        g.writeEndArray();
        g.writeEndObject();
    }

    private void named(JsonGenerator g, int id, double logprob) throws IOException {
        g.writeStringField("token", text(id));
        g.writeNumberField("logprob", logprob);
        g.writeArrayFieldStart("bytes");
        for (byte b : vocabulary.tokenBytes(id)) {
            g.writeNumber(b & 0xff);
        }
        g.writeEndArray();
    }

    /**
     * The object of a completion's choice.
     *
     * @param offset characters of the reply's tokens before these: text offsets count from the reply's beginning
     * @return the offset behind these
     */
    int completion(JsonGenerator g, int offset, List<NextToken> tokens) throws IOException {
        g.writeObjectFieldStart("logprobs");
        g.writeArrayFieldStart("tokens");
        for (NextToken token : tokens) {
            g.writeString(text(token.id()));
        }
        g.writeEndArray();
        g.writeArrayFieldStart("token_logprobs");
        for (NextToken token : tokens) {
            g.writeNumber(token.logprob());
        }
        g.writeEndArray();
        g.writeArrayFieldStart("top_logprobs");
        for (NextToken token : tokens) {
            Map<String, Double> byText = new LinkedHashMap<>();
            for (int i = 0; i < token.topIds().length; i++) {
                byText.putIfAbsent(text(token.topIds()[i]), token.topLogprobs()[i]); // a name stands once; U+FFFD often
            }
            g.writePOJO(byText);
        }
        g.writeEndArray();
        g.writeArrayFieldStart("text_offset");
        int next = offset;
        for (NextToken token : tokens) {
            g.writeNumber(next);
            next += text(token.id()).length();
        }
        g.writeEndArray();
        g.writeEndObject();
        return next;
    }

    private String text(int id) {
        return new String(vocabulary.tokenBytes(id), StandardCharsets.UTF_8);
    }
}
