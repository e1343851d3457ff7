package dpserve.tokenizer.http;

import com.fasterxml.jackson.core.JsonGenerator;
import dpserve.io.message.FinishReason;
import dpserve.io.model.NextToken;
import dpserve.tokenizer.OpenAiParser.OpenAiRequest;
import dpserve.tokenizer.SequenceListener;
import dpserve.tokenizer.SequenceSpec;
import dpserve.tokenizer.SequenceState;
import dpserve.tokenizer.TokenizerManager;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/** Replies of {@code /v1/completions} and {@code /v1/chat/completions}, whole or as a stream of chunks. */
final class OpenAiReply {
    /** About what a chunk takes besides its text. */
    private static final int META_BYTES = 220;

    private final Exchange exchange;
    private final OpenAiRequest request;
    private final boolean chat;
    private final TokenizerManager manager;
    private final ReplyContext context;
    private final String id;
    private final long created;
    private final List<SequenceState> states = new ArrayList<>();
    private final boolean[] begun;
    private final int[] idsSent;

    /** Sequences of a stream with output that is not written yet, and its text. */
    private final BitSet changed = new BitSet();

    private final StringBuilder[] unwritten;
    private final int[] logprobsSent;

    /** Characters of the tokens whose log probabilities were sent. */
    private final int[] logprobChars;

    private int unfinished;

    private OpenAiReply(
            Exchange exchange, OpenAiRequest request, boolean chat, TokenizerManager manager, ReplyContext context) {
        this.exchange = exchange;
        this.request = request;
        this.chat = chat;
        this.manager = manager;
        this.context = context;
        this.unfinished = request.generate().sequences().size();
        this.begun = new boolean[unfinished];
        this.idsSent = new int[unfinished];
        this.unwritten = new StringBuilder[unfinished];
        for (int i = 0; i < unfinished; i++) {
            SequenceSpec.Resume resume = request.generate().sequences().get(i).resume();
            begun[i] = resume != null;
            unwritten[i] = new StringBuilder();
            idsSent[i] = resume == null ? 0 : resume.outputIds().length;
        }
        this.logprobsSent = new int[unfinished];
        this.logprobChars = new int[unfinished];
        this.id = request.generate().sequences().get(0).userRid();
        this.created = (long) context.epochSeconds();
    }

    /** Submits every sequence of the request; the reply follows by itself. */
    static void start(
            Exchange exchange, OpenAiRequest request, boolean chat, TokenizerManager manager, ReplyContext context) {
        OpenAiReply reply = new OpenAiReply(exchange, request, chat, manager, context);
        exchange.onClientGone(reply::abandon);
        for (int i = 0; i < request.generate().sequences().size() && !exchange.isDone(); i++) {
            int index = i;
            SequenceListener listener = (state, newText) -> reply.onOutput(index, state, newText);
            SequenceSpec spec = request.generate().sequences().get(i);
            reply.know(index, manager.submit(spec, listener, exchange.acceptedNs(), context.nowNs()));
        }
    }

    /** Before its first output, which may come before {@link TokenizerManager#submit} has returned. */
    private void know(int index, SequenceState state) {
        if (states.size() == index) {
            states.add(state);
        }
    }

    private void abandon() {
        states.forEach(manager::clientGone);
    }

    private void onOutput(int index, SequenceState state, String newText) {
        know(index, state);
        boolean finished = state.finishReason() != null;
        if (finished) {
            unfinished--;
        }
        boolean error = finished && ErrorReplies.isError(state.finishReason());
        if (error && !exchange.isStreaming() && changed.isEmpty()) {
            FinishReason.Abort abort = (FinishReason.Abort) state.finishReason();
            int status = ErrorReplies.status(abort);
            String type = abort.errType() == null ? "InternalServerError" : abort.errType();
            exchange.json(status, ErrorReplies.openAi(status, abort.message(), type, null));
            abandon();
        } else if (request.generate().stream()) {
            changed.set(index);
            unwritten[index].append(newText);
            exchange.writeSoon(this::writeChanged, META_BYTES + newText.length());
        } else if (unfinished == 0) {
            exchange.reply(200, "application/json", GenerateReply.write(this::whole));
        }
    }

    /** What is new of each sequence, as one chunk however many outputs it came in. */
    private void writeChanged() {
        exchange.startEvents();
        for (int i = changed.nextSetBit(0); i >= 0; i = changed.nextSetBit(i + 1)) {
            writeChunks(i, states.get(i));
        }
        changed.clear();
        if (unfinished == 0) {
            if (request.includeUsage()) {
                exchange.event(GenerateReply.write(this::usageChunk));
            }
            exchange.endEvents();
        }
    }

    private void writeChunks(int index, SequenceState state) {
        if (!begun[index]) {
            begun[index] = true;
            if (chat) {
                exchange.event(GenerateReply.write(g -> chunk(g, index, state, "", true, false)));
            } else if (request.echo() != null) {
                String prompt = request.echo().get(index / request.generate().samples());
                exchange.event(GenerateReply.write(g -> chunk(g, index, state, prompt, true, false)));
            }
        }
        String text = unwritten[index].toString();
        unwritten[index].setLength(0);
        boolean error = ErrorReplies.isError(state.finishReason());
        boolean last = state.finishReason() != null && !error;
        if (!text.isEmpty() || last) {
            exchange.event(GenerateReply.write(g -> chunk(g, index, state, text, false, last)));
        }
        if (error) {
            FinishReason.Abort abort = (FinishReason.Abort) state.finishReason();
            exchange.event(ErrorReplies.chunk(abort).toString().getBytes(StandardCharsets.UTF_8));
        }
    }

    private void head(JsonGenerator g, String object) throws IOException {
        g.writeStartObject();
        g.writeStringField("id", id);
        g.writeStringField("object", object);
        g.writeNumberField("created", created);
        g.writeStringField("model", request.model());
    }

    private String chunkObject() {
        return chat ? "chat.completion.chunk" : "text_completion";
    }

    private void chunk(JsonGenerator g, int index, SequenceState state, String text, boolean first, boolean last)
            throws IOException {
        head(g, chunkObject());
        g.writeArrayFieldStart("choices");
        g.writeStartObject();
        g.writeNumberField("index", index);
        if (chat) {
            g.writeObjectFieldStart("delta");
            if (first) {
                g.writeStringField("role", "assistant");
                g.writeStringField("content", "");
            } else if (!text.isEmpty()) {
                g.writeStringField("content", text);
            }
            g.writeEndObject();
        } else {
            g.writeStringField("text", text);
        }
        if (text.isEmpty() && !last) {
            g.writeNullField("logprobs"); // the chunk that begins a reply
        } else {
            logprobs(g, index, state);
        }
        finish(g, last ? state.finishReason() : null);
        if (!first) {
            tokenIds(g, index, state);
        }
        g.writeEndObject();
        g.writeEndArray();
        if (request.continuousUsage()) {
            usage(g, List.of(state));
        }
        if (last) {
            stages(g, List.of(state));
        }
        g.writeEndObject();
    }

    private void usageChunk(JsonGenerator g) throws IOException {
        head(g, chunkObject());
        g.writeArrayFieldStart("choices");
        g.writeEndArray();
        usage(g, states);
        g.writeEndObject();
    }

    private void whole(JsonGenerator g) throws IOException {
        head(g, chat ? "chat.completion" : "text_completion");
        g.writeArrayFieldStart("choices");
        for (int i = 0; i < states.size(); i++) {
            SequenceState state = states.get(i);
            g.writeStartObject();
            g.writeNumberField("index", i);
            if (chat) {
                g.writeObjectFieldStart("message");
                g.writeStringField("role", "assistant");
                g.writeStringField("content", state.text().toString());
                g.writeEndObject();
            } else {
                String prompt = request.echo() == null
                        ? ""
                        : request.echo().get(i / request.generate().samples());
                g.writeStringField("text", prompt + state.text());
            }
            logprobs(g, i, state);
            finish(g, state.finishReason());
            tokenIds(g, i, state);
            g.writeEndObject();
        }
        g.writeEndArray();
        usage(g, states);
        stages(g, states);
        g.writeEndObject();
    }

    /** Ids that this choice has not carried yet, under vLLM's name for them. */
    private void tokenIds(JsonGenerator g, int index, SequenceState state) throws IOException {
        if (!request.returnTokenIds()) {
            return;
        }
        g.writeArrayFieldStart("token_ids");
        for (int i = idsSent[index]; i < state.completionTokens(); i++) {
            g.writeNumber(state.outputId(i));
        }
        g.writeEndArray();
        idsSent[index] = state.completionTokens();
    }

    /** Where SGLang puts what OpenAI has no field for; one entry for each choice of this object. */
    private void stages(JsonGenerator g, List<SequenceState> of) throws IOException {
        if (!request.returnStages()) {
            return;
        }
        long nowNs = context.nowNs();
        g.writeObjectFieldStart("sglext");
        g.writeArrayFieldStart("stages");
        for (SequenceState state : of) {
            StageJson.stages(g, state, nowNs);
        }
        g.writeEndArray();
        g.writeEndObject();
    }

    /** Those of the tokens since the last chunk; null where nobody asked. */
    private void logprobs(JsonGenerator g, int index, SequenceState state) throws IOException {
        List<NextToken> tokens = state.logprobs();
        if (state.spec().logprobs() == null) {
            g.writeNullField("logprobs");
            return;
        }
        List<NextToken> unsent = tokens.subList(logprobsSent[index], tokens.size());
        logprobsSent[index] = tokens.size();
        if (chat) {
            context.logprobs().chat(g, unsent);
        } else {
            logprobChars[index] = context.logprobs().completion(g, logprobChars[index], unsent);
        }
    }

    private static void finish(JsonGenerator g, FinishReason reason) throws IOException {
        if (reason == null) {
            g.writeNullField("finish_reason");
            return;
        }
        g.writeStringField("finish_reason", reason.type());
        if (reason instanceof FinishReason.StopToken stop) {
            g.writeNumberField("matched_stop", stop.matched());
        } else if (reason instanceof FinishReason.StopString stop) {
            g.writeStringField("matched_stop", stop.matched());
        } else {
            g.writeNullField("matched_stop");
        }
    }

    /** Prompt tokens count once for each prompt, as OpenAI bills them, however many samples it has. */
    private void usage(JsonGenerator g, List<SequenceState> of) throws IOException {
        int samples = of.size() == 1 ? 1 : request.generate().samples();
        int prompt = 0;
        int cached = 0;
        int completion = 0;
        int reasoning = 0;
        for (int i = 0; i < of.size(); i++) {
            SequenceState state = of.get(i);
            if (i % samples == 0) {
                prompt += state.promptTokens();
                cached += state.cachedTokens();
            }
            completion += state.completionTokens();
            reasoning += state.reasoningTokens();
        }
        g.writeObjectFieldStart("usage");
        g.writeNumberField("prompt_tokens", prompt);
        g.writeNumberField("total_tokens", prompt + completion);
        g.writeNumberField("completion_tokens", completion);
        g.writeObjectFieldStart("prompt_tokens_details");
        g.writeNumberField("cached_tokens", cached);
        g.writeEndObject();
        g.writeNumberField("reasoning_tokens", reasoning);
        g.writeEndObject();
    }
}
