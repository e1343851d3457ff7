package dpserve.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dpserve.detokenizer.WholeText;
import dpserve.io.SimulatedModel;
import dpserve.io.model.ChatTurn;
import dpserve.io.model.Vocabulary;
import dpserve.tokenizer.ChatTemplate;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** A server that answers as the simulated model does, at scripted times and with scripted faults. */
public final class ScriptedServer implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final SimulatedModel model = SimulatedModel.create();
    private final MultiThreadIoEventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final Vocabulary vocabulary;
    private final Script script;
    private final Channel listener;

    /** Bodies of the generation requests, in order of arrival. */
    public final List<JsonNode> requests = new CopyOnWriteArrayList<>();

    /** Other calls, "METHOD path". */
    public final List<String> calls = new CopyOnWriteArrayList<>();

    public final AtomicInteger inFlight = new AtomicInteger();
    public final AtomicInteger mostInFlight = new AtomicInteger();

    /**
     * @param firstMs from the request to the first event
     * @param gapMs between events
     * @param tokensPerEvent new tokens of each event
     * @param fault null for none, else one of wrong, lost, doubled, cut, error, busy
     * @param faulty number of the request it befalls, from 0
     */
    public record Script(long firstMs, long gapMs, int tokensPerEvent, String fault, int faulty) {
        public Script(long firstMs, long gapMs, int tokensPerEvent) {
            this(firstMs, gapMs, tokensPerEvent, null, -1);
        }
    }

    public ScriptedServer(Vocabulary vocabulary, Script script) {
        this.vocabulary = vocabulary;
        this.script = script;
        listener = new ServerBootstrap()
                .group(group)
                .channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_BACKLOG, 4096)
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        channel.pipeline()
                                .addLast(new HttpServerCodec())
                                .addLast(new HttpObjectAggregator(64 << 20))
                                .addLast(new Handler());
                    }
                })
                .bind("127.0.0.1", 0)
                .syncUninterruptibly()
                .channel();
    }

    public String url() {
        return "http://127.0.0.1:" + ((InetSocketAddress) listener.localAddress()).getPort();
    }

    @Override
    public void close() {
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    }

    private final class Handler extends SimpleChannelInboundHandler<FullHttpRequest> {
        @Override
        protected void channelRead0(ChannelHandlerContext ctx, FullHttpRequest request) throws IOException {
            String path = request.uri();
            String body = request.content().toString(StandardCharsets.UTF_8);
            switch (path) {
                case "/generate", "/v1/completions", "/v1/chat/completions" -> generate(ctx, path, JSON.readTree(body));
                case "/v1/models" -> whole(ctx, HttpResponseStatus.OK, "{\"data\":[{\"id\":\"scripted\"}]}");
                case "/server_info" ->
                    whole(
                            ctx,
                            HttpResponseStatus.OK,
                            "{\"version\":\"scripted\",\"decode\":[{\"version\":\"d\"}],"
                                    + "\"processes\":[{\"index\":0,\"counters\":{\"peak_reqs\":1}}]}");
                default -> {
                    calls.add(request.method() + " " + path);
                    whole(ctx, HttpResponseStatus.OK, "flushed");
                }
            }
        }

        private void generate(ChannelHandlerContext ctx, String path, JsonNode body) {
            int number = requests.size();
            requests.add(body);
            mostInFlight.accumulateAndGet(inFlight.incrementAndGet(), Math::max);
            String fault = number == script.faulty() ? script.fault() : null;
            if ("busy".equals(fault)) {
                inFlight.decrementAndGet();
                whole(ctx, HttpResponseStatus.SERVICE_UNAVAILABLE, "{\"error\":{\"message\":\"queue full\"}}");
                return;
            }
            Reply reply = new Reply(ctx, path, body, number, fault);
            ctx.executor().schedule(reply::next, script.firstMs(), TimeUnit.MILLISECONDS);
        }

        private void whole(ChannelHandlerContext ctx, HttpResponseStatus status, String text) {
            ByteBuf content = Unpooled.copiedBuffer(text, StandardCharsets.UTF_8);
            DefaultFullHttpResponse response = new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, status, content);
            response.headers()
                    .set(HttpHeaderNames.CONTENT_TYPE, "application/json")
                    .set(HttpHeaderNames.CONTENT_LENGTH, content.readableBytes());
            ctx.writeAndFlush(response);
        }
    }

    /** One reply on its way. */
    private final class Reply {
        private final ChannelHandlerContext ctx;
        private final String path;
        private final boolean stream;
        private final int number;
        private final String fault;
        private final int promptTokens;
        private final int[] ids;
        private int sent;
        private boolean begun;

        Reply(ChannelHandlerContext ctx, String path, JsonNode body, int number, String fault) {
            this.ctx = ctx;
            this.path = path;
            this.number = number;
            this.fault = fault;
            stream = body.path("stream").asBoolean();
            JsonNode params = path.equals("/generate") ? body.path("sampling_params") : body;
            int max = params.path("max_new_tokens")
                    .asInt(params.path("max_tokens")
                            .asInt(params.path("max_completion_tokens").asInt()));
            int[] prompt = promptIds(body);
            promptTokens = prompt.length;
            ids = broken(model.expectedOutput(
                    prompt, max, 0, params.path("ignore_eos").asBoolean()));
        }

        private int[] promptIds(JsonNode body) {
            if (body.has("input_ids")) {
                int[] prompt = new int[body.path("input_ids").size()];
                Arrays.setAll(prompt, i -> body.path("input_ids").path(i).asInt());
                return prompt;
            }
            JsonNode messages = body.path("messages");
            String text = body.path("text").asText(body.path("prompt").asText());
            List<ChatTurn> turns = new ArrayList<>();
            messages.forEach(m -> turns.add(
                    new ChatTurn(m.path("role").asText(), m.path("content").asText())));
            return vocabulary.encode(turns.isEmpty() ? text : ChatTemplate.render(turns));
        }

        private int[] broken(int[] expected) {
            int[] ids = expected.clone();
            int half = ids.length / 2;
            switch (fault == null ? "" : fault) {
                case "wrong" -> ids[half]++;
                case "lost" -> ids = Arrays.copyOf(ids, half);
                case "doubled" -> {
                    ids = Arrays.copyOf(ids, ids.length + 1);
                    System.arraycopy(expected, half, ids, half + 1, expected.length - half);
                }
                default -> {}
            }
            return ids;
        }

        void next() {
            int before = sent;
            sent = stream ? Math.min(ids.length, sent + script.tokensPerEvent()) : ids.length;
            boolean last = sent == ids.length;
            if (!stream) {
                inFlight.decrementAndGet();
                new Handler().whole(ctx, HttpResponseStatus.OK, event(0, true));
                return;
            }
            if (!begun) {
                begun = true;
                HttpResponse head = new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK);
                head.headers()
                        .set(HttpHeaderNames.CONTENT_TYPE, "text/event-stream; charset=utf-8")
                        .set(HttpHeaderNames.TRANSFER_ENCODING, HttpHeaderValues.CHUNKED);
                ctx.write(head);
            }
            if (sent > ids.length / 2 && "cut".equals(fault)) {
                inFlight.decrementAndGet();
                ctx.close();
                return;
            }
            boolean error = sent > ids.length / 2 && "error".equals(fault);
            write(error ? "{\"error\":{\"message\":\"rank died\"}}" : event(before, last));
            if (last || error) {
                inFlight.decrementAndGet();
                write("[DONE]");
                ctx.writeAndFlush(LastHttpContent.EMPTY_LAST_CONTENT);
            } else {
                ctx.flush();
                ctx.executor().schedule(this::next, script.gapMs(), TimeUnit.MILLISECONDS);
            }
        }

        private void write(String event) {
            ctx.write(new DefaultHttpContent(Unpooled.copiedBuffer("data: " + event + "\n\n", StandardCharsets.UTF_8)));
        }

        private String event(int before, boolean last) {
            ObjectNode event = JSON.createObjectNode();
            if (path.equals("/generate")) {
                event.put("text", text(0, sent));
                event.set("output_ids", JSON.valueToTree(Arrays.copyOf(ids, sent)));
                ObjectNode meta = event.putObject("meta_info");
                meta.put("id", "s" + number);
                if (last) {
                    meta.putObject("finish_reason").put("type", "length").put("length", sent);
                } else {
                    meta.putNull("finish_reason");
                }
                meta.put("prompt_tokens", promptTokens).put("completion_tokens", sent);
                meta.put("cached_tokens", 1).put("dp_rank", number % 4);
                return event.toString();
            }
            ObjectNode choice =
                    event.put("id", "s" + number).putArray("choices").addObject();
            String text = text(before, sent);
            if (path.equals("/v1/completions")) {
                choice.put("text", text);
            } else {
                choice.putObject(stream ? "delta" : "message").put("content", text);
            }
            choice.put("finish_reason", last ? "length" : null);
            event.putObject("usage").put("prompt_tokens", promptTokens).put("completion_tokens", sent);
            return event.toString();
        }

        /** What is new since {@code from} tokens; half a character waits for its other half. */
        private String text(int from, int to) {
            return text(to).substring(text(from).length());
        }

        private String text(int tokens) {
            String text = WholeText.decode(vocabulary, Arrays.copyOf(ids, tokens), true);
            return tokens == ids.length ? text : text.replaceAll("\uFFFD+$", "");
        }
    }
}
