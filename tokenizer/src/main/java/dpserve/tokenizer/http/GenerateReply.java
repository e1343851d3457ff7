package dpserve.tokenizer.http;

import com.fasterxml.jackson.core.JsonGenerator;
import dpserve.io.message.FinishReason;
import dpserve.io.model.NextToken;
import dpserve.tokenizer.GenerateRequest;
import dpserve.tokenizer.SequenceListener;
import dpserve.tokenizer.SequenceSpec;
import dpserve.tokenizer.SequenceState;
import dpserve.tokenizer.TokenizerManager;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/** Replies of {@code /generate}: {@code {"text", "output_ids", "meta_info"}}, whole or as a stream of them. */
final class GenerateReply {
    /** About what an event takes besides rid, text and ids, and what an id takes. */
    private static final int META_BYTES = 300;

    private static final int ID_BYTES = 7;

    private final Exchange exchange;
    private final GenerateRequest request;
    private final TokenizerManager manager;
    private final ReplyContext context;
    private final List<SequenceState> states = new ArrayList<>();
    private final int[] idsSent;
    private final int[] charsSent;

    /** Sequences of a stream with output that is not written yet. */
    private final BitSet changed = new BitSet();

    private int unfinished;

    private GenerateReply(Exchange exchange, GenerateRequest request, TokenizerManager manager, ReplyContext context) {
        this.exchange = exchange;
        this.request = request;
        this.manager = manager;
        this.context = context;
        this.unfinished = request.sequences().size();
        this.idsSent = new int[unfinished];
        this.charsSent = new int[unfinished];
        for (int i = 0; i < unfinished; i++) {
            SequenceSpec.Resume resume = request.sequences().get(i).resume();
            idsSent[i] = resume == null ? 0 : resume.outputIds().length;
            charsSent[i] = resume == null ? 0 : resume.text().length();
        }
    }

    /** Submits every sequence of the request; the reply follows by itself. */
    static void start(Exchange exchange, GenerateRequest request, TokenizerManager manager, ReplyContext context) {
        GenerateReply reply = new GenerateReply(exchange, request, manager, context);
        exchange.onClientGone(reply::abandon);
        for (int i = 0; i < request.sequences().size() && !exchange.isDone(); i++) {
            int index = i;
            SequenceListener listener = (state, newText) -> reply.onOutput(index, state);
            SequenceSpec spec = request.sequences().get(i);
            reply.know(index, manager.submit(spec, listener, exchange.acceptedNs(), context.nowNs()));
        }
    }

    /** Before its first output, which may come before {@link TokenizerManager#submit} has returned. */
    private void know(int index, SequenceState state) {
        if (states.size() == index) {
            states.add(state);
        }
    }

    /** The client left, or one sequence failed and the reply with it: the others need not go on. */
    private void abandon() {
        states.forEach(manager::clientGone);
    }

    private void onOutput(int index, SequenceState state) {
        know(index, state);
        boolean finished = state.finishReason() != null;
        if (finished) {
            unfinished--;
        }
        if (request.stream()) {
            stream(index, state, finished);
        } else if (finished && ErrorReplies.isError(state.finishReason())) {
            FinishReason.Abort abort = (FinishReason.Abort) state.finishReason();
            exchange.json(ErrorReplies.status(abort), ErrorReplies.sglang(abort.message()));
            abandon();
        } else if (unfinished == 0) {
            whole();
        }
    }

    private void stream(int index, SequenceState state, boolean finished) {
        boolean error = finished && ErrorReplies.isError(state.finishReason());
        if (error
                && !exchange.isStreaming()
                && changed.isEmpty()
                && request.sequences().size() == 1) {
            // Nothing was sent yet, so the status line can still tell.
            FinishReason.Abort abort = (FinishReason.Abort) state.finishReason();
            exchange.json(ErrorReplies.status(abort), ErrorReplies.sglang(abort.message()));
            return;
        }
        changed.set(index);
        boolean all = !context.incrementalStreaming();
        int chars = state.text().length() - (all ? 0 : charsSent[index]);
        int ids = state.completionTokens() - (all ? 0 : idsSent[index]);
        exchange.writeSoon(
                this::writeChanged, META_BYTES + state.spec().userRid().length() + chars + ID_BYTES * ids);
    }

    /** One event for each sequence with new output, however many outputs it came in. */
    private void writeChanged() {
        exchange.startEvents();
        for (int i = changed.nextSetBit(0); i >= 0; i = changed.nextSetBit(i + 1)) {
            writeEvent(i, states.get(i));
        }
        changed.clear();
        if (unfinished == 0) {
            exchange.endEvents();
        }
    }

    private void writeEvent(int index, SequenceState state) {
        FinishReason reason = state.finishReason();
        boolean error = reason != null && ErrorReplies.isError(reason);
        boolean all = !context.incrementalStreaming();
        if (!error || idsSent[index] < state.completionTokens()) {
            int from = all ? 0 : charsSent[index];
            int fromId = all ? 0 : idsSent[index];
            exchange.event(write(g -> item(g, state, !error, from, fromId, request.batch() ? index : -1)));
            charsSent[index] = state.text().length();
            idsSent[index] = state.completionTokens();
        }
        if (error) {
            exchange.event(
                    ErrorReplies.chunk((FinishReason.Abort) reason).toString().getBytes(StandardCharsets.UTF_8));
        }
    }

    private void whole() {
        byte[] body = write(g -> {
            if (request.batch()) {
                g.writeStartArray();
                for (SequenceState state : states) {
                    item(g, state, true, 0, 0, -1);
                }
                g.writeEndArray();
            } else {
                item(g, states.get(0), true, 0, 0, -1);
            }
        });
        exchange.reply(200, "application/json", body);
    }

    /** @param withEnd whether to tell the end too, if it has ended */
    private void item(JsonGenerator g, SequenceState state, boolean withEnd, int fromChar, int fromId, int index)
            throws IOException {
        g.writeStartObject();
        g.writeStringField(
                "text",
                state.text().subSequence(fromChar, state.text().length()).toString());
        g.writeArrayFieldStart("output_ids");
        for (int i = fromId; i < state.completionTokens(); i++) {
            g.writeNumber(state.outputId(i));
        }
        g.writeEndArray();
        g.writeObjectFieldStart("meta_info");
        metaInfo(g, state, withEnd ? state.finishReason() : null);
        SequenceSpec.Logprobs wanted = state.spec().logprobs();
        if (wanted != null) {
            List<NextToken> tokens = state.logprobs();
            int from = Math.min(fromId, tokens.size());
            context.logprobs().sglang(g, tokens.subList(from, tokens.size()), wanted.top(), wanted.withText());
        }
        g.writeEndObject();
        if (index >= 0) {
            g.writeNumberField("index", index);
        }
        g.writeEndObject();
    }

    private void metaInfo(JsonGenerator g, SequenceState state, FinishReason reason) throws IOException {
        g.writeStringField("id", state.spec().userRid());
        g.writeFieldName("finish_reason");
        finishReason(g, reason);
        g.writeNumberField("prompt_tokens", state.promptTokens());
        g.writeStringField("weight_version", context.weightVersion());
        g.writeNumberField("num_retractions", state.retractions());
        g.writeNumberField("reasoning_tokens", state.reasoningTokens());
        g.writeNumberField("completion_tokens", state.completionTokens());
        g.writeNumberField("cached_tokens", state.cachedTokens());
        if (state.dpRank() != null) {
            g.writeNumberField("dp_rank", state.dpRank());
        }
        double nowS = context.epochSeconds();
        if (reason != null) {
            long nowNs = context.nowNs();
            g.writeNumberField("e2e_latency", (nowNs - state.createdNs()) / 1e9);
            g.writeFieldName("stages");
            StageJson.stages(g, state, nowNs);
            StageJson.sglangNames(g, state, nowNs, nowS);
        }
        g.writeNumberField("response_sent_to_client_ts", nowS);
    }

    private static void finishReason(JsonGenerator g, FinishReason reason) throws IOException {
        if (reason == null) {
            g.writeNull();
            return;
        }
        g.writeStartObject();
        g.writeStringField("type", reason.type());
        if (reason instanceof FinishReason.StopToken stop) {
            g.writeNumberField("matched", stop.matched());
        } else if (reason instanceof FinishReason.StopString stop) {
            g.writeStringField("matched", stop.matched());
        } else if (reason instanceof FinishReason.Length length) {
            g.writeNumberField("length", length.length());
        } else if (reason instanceof FinishReason.Abort abort) {
            g.writeStringField("message", abort.message());
        }
        g.writeEndObject();
    }

    /** Writes JSON. */
    interface Writing {
        void to(JsonGenerator generator) throws IOException;
    }

    /** JSON as bytes. */
    static byte[] write(Writing writing) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(512);
        try (JsonGenerator g = Exchange.JSON.getFactory().createGenerator(bytes)) {
            writing.to(g);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }
}
