package dpserve.router.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dpserve.tokenizer.http.ErrorReplies;
import dpserve.tokenizer.http.Exchange;
import dpserve.tokenizer.http.HttpCall;
import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** Calls that are about the servers behind the router. */
final class ServerCalls {
    private static final int OK = 200;
    private static final int UNAVAILABLE = 503;

    /** Longer than any call of a server's own takes; one that is stopped must not keep a probe waiting for ever. */
    private static final int LIMIT_S = 30;

    private record Answer(int status, String contentType, byte[] body) {}

    private ServerCalls() {}

    /** One server's answer is the answer. */
    static void pass(PdRouter router, URI server, HttpCall call, Exchange exchange) {
        ask(router, List.of(server), call, exchange, answers -> reply(exchange, answers.get(0)));
    }

    /**
     * The first answer that is an error, if one is.
     *
     * @param onOk runs with each answer that is none
     */
    static void all(PdRouter router, HttpCall call, Exchange exchange, Runnable onOk) {
        ask(router, servers(router), call, exchange, onOk, answers -> {
            Answer worst = answers.get(0);
            for (Answer answer : answers) {
                worst = worst.status() == OK ? answer : worst;
            }
            reply(exchange, worst);
        });
    }

    /** 200 while a pair can be made of servers that say 200. */
    static void health(PdRouter router, HttpCall call, Exchange exchange) {
        int prefills = router.pairs().prefills().size();
        ask(router, servers(router), call, exchange, answers -> {
            boolean prefill = answers.subList(0, prefills).stream().anyMatch(a -> a.status() == OK);
            boolean decode = answers.subList(prefills, answers.size()).stream().anyMatch(a -> a.status() == OK);
            exchange.reply(prefill && decode ? OK : UNAVAILABLE, "text/plain", new byte[0]);
        });
    }

    /** {@code {"prefill": [...], "decode": [...]}}, as SGLang's router has it; null for a server that did not answer. */
    static void gather(PdRouter router, HttpCall call, Exchange exchange) {
        int prefills = router.pairs().prefills().size();
        ask(router, servers(router), call, exchange, answers -> {
            ObjectNode body = PdRouter.json().createObjectNode();
            ArrayNode prefill = body.putArray("prefill");
            ArrayNode decode = body.putArray("decode");
            for (int i = 0; i < answers.size(); i++) {
                (i < prefills ? prefill : decode).add(json(answers.get(i)));
            }
            exchange.json(OK, body);
        });
    }

    private static JsonNode json(Answer answer) {
        try {
            return answer.status() == OK
                    ? PdRouter.json().readTree(new String(answer.body(), StandardCharsets.UTF_8))
                    : PdRouter.json().nullNode();
        } catch (JsonProcessingException e) {
            return PdRouter.json().nullNode();
        }
    }

    private static List<URI> servers(PdRouter router) {
        List<URI> all = new ArrayList<>();
        router.pairs().prefills().forEach(p -> all.add(p.url()));
        all.addAll(router.pairs().decodes());
        return all;
    }

    private static void reply(Exchange exchange, Answer answer) {
        exchange.reply(answer.status(), answer.contentType(), answer.body());
    }

    private static void ask(
            PdRouter router, List<URI> servers, HttpCall call, Exchange exchange, Consumer<List<Answer>> then) {
        ask(router, servers, call, exchange, () -> {}, then);
    }

    /** @param onOk runs with each answer that is 200 */
    private static void ask(
            PdRouter router,
            List<URI> servers,
            HttpCall call,
            Exchange exchange,
            Runnable onOk,
            Consumer<List<Answer>> then) {
        Answer[] answers = new Answer[servers.size()];
        int[] missing = {servers.size()};
        List<Upstream.Call> calls = new ArrayList<>();
        List<Whole> replies = new ArrayList<>();
        Future<?> limit = router.loop()
                .schedule(
                        () -> {
                            calls.forEach(Upstream.Call::cancel);
                            for (int i = 0; i < answers.length; i++) {
                                if (answers[i] == null) {
                                    replies.get(i).onBroken("no answer within " + LIMIT_S + " s");
                                }
                            }
                        },
                        LIMIT_S,
                        TimeUnit.SECONDS);
        exchange.onClientGone(() -> {
            limit.cancel(false);
            calls.forEach(Upstream.Call::cancel);
        });
        for (int i = 0; i < servers.size(); i++) {
            int at = i;
            replies.add(new Whole(answer -> {
                answers[at] = answer;
                if (answer.status() == OK) {
                    onOk.run();
                }
                if (--missing[0] == 0) {
                    limit.cancel(false);
                    then.accept(List.of(answers));
                }
            }));
            calls.add(router.upstream()
                    .send(
                            servers.get(i),
                            call.method(),
                            call.uri(),
                            call.authorization(),
                            call.body(),
                            replies.get(i)));
        }
    }

    /** Collects a reply. */
    private static final class Whole implements Upstream.Listener {
        private final Consumer<Answer> then;
        private final ByteArrayOutputStream body = new ByteArrayOutputStream();
        private int status;
        private String contentType;

        Whole(Consumer<Answer> then) {
            this.then = then;
        }

        @Override
        public void onStatus(int newStatus, String newContentType) {
            status = newStatus;
            contentType = newContentType;
        }

        @Override
        public void onPiece(byte[] piece) {
            body.writeBytes(piece);
        }

        @Override
        public void onEnd() {
            then.accept(new Answer(status, contentType, body.toByteArray()));
        }

        @Override
        public void onBroken(String why) {
            byte[] error = ErrorReplies.sglang(why).toString().getBytes(StandardCharsets.UTF_8);
            then.accept(new Answer(UNAVAILABLE, "application/json", error));
        }
    }
}
