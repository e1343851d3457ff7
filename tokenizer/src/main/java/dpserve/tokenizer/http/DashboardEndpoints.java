package dpserve.tokenizer.http;

import dpserve.tokenizer.Control;
import dpserve.tokenizer.RankStates;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ScheduledExecutorService;

/**
 * {@code /dashboard}: a live page of the topology in one reply, which asks nobody else for anything;
 * {@code /dashboard/events}: the figures behind it as server-sent events, one a second.
 */
public final class DashboardEndpoints {
    private static final String HTML = "text/html; charset=utf-8";

    private final DashboardFeed feed;
    private final byte[] page;
    private final Map<String, String> headers;

    /** @param loop the event loop */
    public DashboardEndpoints(Control control, RankStates ranks, ReplyContext context, ScheduledExecutorService loop) {
        feed = new DashboardFeed(control, ranks, context, loop);
        String style = resource("dashboard.css");
        String script = resource("dashboard.js");
        page = resource("dashboard.html")
                .replace("@STYLE@", style)
                .replace("@SCRIPT@", script)
                .getBytes(StandardCharsets.UTF_8);
        headers = Map.of(
                // Nothing but what this server sends runs or is asked, and no other page may frame the drain buttons.
                "Content-Security-Policy",
                "default-src 'none'; connect-src 'self'; img-src data:; style-src '" + hash(style) + "'; script-src '"
                        + hash(script) + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
                "X-Content-Type-Options",
                "nosniff",
                "Referrer-Policy",
                "no-referrer",
                "Cache-Control",
                "no-cache");
    }

    /** Adds them to a router. */
    public void addTo(Router router) {
        router.add(List.of("GET", "HEAD"), "/dashboard", (call, exchange) -> exchange.reply(200, HTML, page, headers));
        router.add(List.of("GET"), "/dashboard/events", (call, exchange) -> feed.watch(exchange));
    }

    private static String hash(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return "sha256-" + Base64.getEncoder().encodeToString(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    private static String resource(String name) {
        try (InputStream in = DashboardEndpoints.class.getResourceAsStream(name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + name, e);
        }
    }
}
