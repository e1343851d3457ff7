package dpserve.router.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dpserve.router.Attempt;
import dpserve.router.PairChoice;
import dpserve.router.Retries;
import dpserve.tokenizer.http.ErrorReplies;
import dpserve.tokenizer.http.Exchange;
import dpserve.tokenizer.http.HttpCall;
import io.netty.buffer.Unpooled;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * One client request on its way through pairs of servers: both halves get it at the same time, the decode half's answer goes to the
 * client, and when either fails in a way that another pair may heal, both halves are given up and the request begins anew
 * behind what the client has, in another room.
 */
final class RoutedExchange {
    private static final byte[] DONE = "[DONE]".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] ERROR = "{\"error\"".getBytes(StandardCharsets.US_ASCII);
    private static final int UNAVAILABLE = 503;
    private static final int OK = 200;

    /** What proxies say of a request that its client ended. */
    private static final int CLIENT_CLOSED_REQUEST = 499;

    private static final ObjectMapper JSON = new ObjectMapper();

    private final PdRouter router;
    private final HttpCall call;
    private final Exchange exchange;
    private final Attempt attempt;
    private final long weight;
    private final Retries retries = new Retries();
    private PairChoice.Pair pair;
    private Upstream.Call prefill;
    private Upstream.Call decode;

    /** The first room of the next attempt. */
    private long room;

    /** A client wants it ended: it is not tried again. */
    private boolean abortAsked;

    /** Number of the attempt under way; whatever an earlier one still says goes nowhere. */
    private int number;

    /** @param room the first of the rooms that it may take: none that another request takes is near it */
    RoutedExchange(PdRouter router, HttpCall call, WeighedBody body, Exchange exchange, String rid, long room) {
        this.router = router;
        this.call = call.withoutBody();
        this.exchange = exchange;
        this.attempt = new Attempt(call.path(), body.json(), rid);
        this.weight = body.bytes();
        this.room = room;
        exchange.onClientGone(this::drop);
    }

    /** Nobody waits for it any more. */
    void drop() {
        router.ended(this);
        giveUp();
    }

    /** What its body takes while it runs, bytes. */
    long weight() {
        return weight;
    }

    void begin() {
        if (exchange.isDone()) {
            return;
        }
        if (abortAsked) {
            aborted();
            return;
        }
        number++;
        attempt.beginAttempt();
        pair = router.pairs().take();
        PairChoice.Prefill to = router.pairs().prefills().get(pair.prefill());
        String host = to.url().getHost();
        byte[] first = bytes(attempt.body(true, host, to.bootstrapPort(), room));
        byte[] second = bytes(attempt.body(false, host, to.bootstrapPort(), room));
        // Not drawn anew: where rooms stand for ranks (follow_bootstrap_room), these stand for the next ones.
        room += attempt.rooms();
        prefill = router.upstream()
                .send(to.url(), call.method(), call.path(), call.authorization(), first, new PrefillReply(number));
        decode = router.upstream()
                .send(
                        router.pairs().decodes().get(pair.decode()),
                        call.method(),
                        call.path(),
                        call.authorization(),
                        second,
                        new DecodeReply(number));
    }

    private static boolean startsWith(byte[] data, byte[] prefix) {
        return data.length >= prefix.length && Arrays.equals(data, 0, prefix.length, prefix, 0, prefix.length);
    }

    private static byte[] bytes(ObjectNode body) {
        return body.toString().getBytes(StandardCharsets.UTF_8);
    }

    /** Ends both halves of the attempt under way, as far as it has come. */
    private void giveUp() {
        if (pair != null) {
            router.pairs().release(pair);
            pair = null;
            cancel(prefill);
            cancel(decode);
        }
    }

    private static void cancel(Upstream.Call call) {
        if (call != null) {
            call.cancel();
        }
    }

    /** This pair failed: another attempt, or the client hears of it. */
    private void failed(int status, String contentType, byte[] body, String why) {
        giveUp();
        boolean mayHeal = status == UNAVAILABLE && !abortAsked && attempt.canGoOn();
        long delayMs = mayHeal ? retries.afterFailure(why) : Retries.GIVE_UP;
        if (delayMs != Retries.GIVE_UP) {
            router.count(PdRouter.RETRIES);
            router.limiter().warn("attempt_failed", "number " + number + ", trying another pair: " + why);
            ScheduledExecutorService loop = router.loop();
            loop.schedule(this::begin, delayMs, TimeUnit.MILLISECONDS);
            return;
        }
        router.count(PdRouter.FAILED);
        router.ended(this);
        if (!exchange.isStreaming()) {
            exchange.reply(status, contentType, body);
            return;
        }
        ObjectNode event = JSON.createObjectNode();
        event.putObject("error").put("message", why).put("code", status).put("retryable", status == UNAVAILABLE);
        exchange.event(bytes(event));
        exchange.endEvents();
    }

    /** A client wants these requests ended: whatever their halves answer, none is tried again. */
    void abort(String rid, boolean all) {
        abortAsked |= all || attempt.isNamed(rid);
    }

    /** Between two attempts nobody else knows of it. */
    private void aborted() {
        failed(CLIENT_CLOSED_REQUEST, "Aborted");
    }

    private void broken(String half, String why) {
        failed(UNAVAILABLE, "the " + half + " server failed: " + why);
    }

    private void failed(int status, String message) {
        failed(status, "application/json", bytes(ErrorReplies.sglang(message)), message);
    }

    private void done() {
        giveUp(); // a prefill half that has not ended yet is done for as well
        router.count(PdRouter.SERVED);
        router.ended(this);
    }

    /** The prefill half's own answer is of no use to anyone; its errors are. */
    private final class PrefillReply implements Upstream.Listener {
        private final int of;
        private final ByteArrayOutputStream body = new ByteArrayOutputStream();
        private int status;
        private String contentType;

        PrefillReply(int of) {
            this.of = of;
        }

        private boolean isOver() {
            // What has first output has its KV: the prefill half may fail as it likes.
            return of != number || pair == null || attempt.hasBegun();
        }

        @Override
        public void onStatus(int newStatus, String newContentType) {
            status = newStatus;
            contentType = newContentType;
        }

        @Override
        public void onPiece(byte[] piece) {
            if (status != OK) {
                body.writeBytes(piece);
            }
        }

        @Override
        public void onEnd() {
            if (!isOver() && status != OK) {
                failed(status, contentType, body.toByteArray(), "prefill: " + body.toString(StandardCharsets.UTF_8));
            }
        }

        @Override
        public void onBroken(String why) {
            if (!isOver()) {
                broken("prefill", why);
            }
        }
    }

    private final class DecodeReply implements Upstream.Listener {
        private final int of;
        private final ByteArrayOutputStream body = new ByteArrayOutputStream();
        private final SseParser events = new SseParser();
        private int status;
        private String contentType;
        private boolean streamed;

        DecodeReply(int of) {
            this.of = of;
        }

        private boolean isOver() {
            return of != number || pair == null;
        }

        @Override
        public void onStatus(int newStatus, String newContentType) {
            status = newStatus;
            contentType = newContentType;
            streamed = status == OK && contentType.startsWith("text/event-stream");
        }

        @Override
        public void onPiece(byte[] piece) {
            if (!streamed) {
                body.writeBytes(piece);
                return;
            }
            try {
                events.feed(Unpooled.wrappedBuffer(piece), (bytes, from, to) -> {
                    if (!isOver()) {
                        onEvent(Arrays.copyOfRange(bytes, from, to));
                    }
                });
            } catch (IOException e) {
                broken("decode", "an event is no JSON");
            }
        }

        private void onEvent(byte[] data) throws IOException {
            if (Arrays.equals(data, DONE)) {
                exchange.startEvents();
                exchange.endEvents();
                done();
                return;
            }
            if (startsWith(data, ERROR)) {
                onError(data);
                return;
            }
            byte[] shown = attempt.take(data);
            if (shown != null) {
                exchange.startEvents();
                exchange.event(shown);
            }
        }

        /** Of one sequence, or of one of several: only what another pair may heal is kept from the client. */
        private void onError(byte[] data) throws IOException {
            JsonNode error = JSON.readTree(data).path("error");
            if (error.path("code").asInt() == UNAVAILABLE) {
                failed(
                        UNAVAILABLE,
                        "application/json",
                        data,
                        error.path("message").asText());
            } else {
                exchange.startEvents();
                exchange.event(data);
            }
        }

        @Override
        public void onEnd() {
            if (isOver()) {
                return;
            }
            if (streamed) {
                broken("decode", "its stream ended early");
            } else if (status == OK) {
                exchange.reply(status, contentType, body.toByteArray());
                done();
            } else {
                failed(status, contentType, body.toByteArray(), "decode: " + body.toString(StandardCharsets.UTF_8));
            }
        }

        @Override
        public void onBroken(String why) {
            if (!isOver()) {
                broken("decode", why);
            }
        }
    }
}
