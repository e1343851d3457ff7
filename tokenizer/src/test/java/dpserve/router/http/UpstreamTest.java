package dpserve.router.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import dpserve.tokenizer.http.HttpServer;
import io.netty.channel.ChannelException;
import java.net.URI;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class UpstreamTest {
    private static final int PATIENCE_S = 20;

    @Test
    void shouldSayThatItIsBrokenWhenNoSocketCanBeMadeAndBeCancelledAllTheSame() throws Exception {
        CompletableFuture<String> broken = new CompletableFuture<>();
        Upstream.Listener listener = new Upstream.Listener() {
            @Override
            public void onStatus(int status, String contentType) {}

            @Override
            public void onPiece(byte[] piece) {}

            @Override
            public void onEnd() {}

            @Override
            public void onBroken(String why) {
                broken.complete(why);
            }
        };
        try (HttpServer http = new HttpServer(System::nanoTime)) {
            Upstream upstream = new Upstream(http.loop(), () -> {
                throw new ChannelException("Too many open files");
            });
            Upstream.Call call = http.loop()
                    .submit(() -> upstream.send(URI.create("http://127.0.0.1:9"), "GET", "/", null, null, listener))
                    .get(PATIENCE_S, TimeUnit.SECONDS);
            assertThat(broken.get(PATIENCE_S, TimeUnit.SECONDS)).contains("127.0.0.1:9");
            assertThatCode(call::cancel).doesNotThrowAnyException();
        }
    }
}
