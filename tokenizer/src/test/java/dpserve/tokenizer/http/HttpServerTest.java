package dpserve.tokenizer.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class HttpServerTest {
    private static final int PATIENCE_S = 20;

    /** What Netty does with scheduled tasks is documented nowhere, and the tokenizer manager relies on it. */
    @Test
    void shouldLookAtItsConnectionsBeforeATaskThatIsToComeAfter() throws Exception {
        List<String> order = new CopyOnWriteArrayList<>();
        CompletableFuture<Socket> client = new CompletableFuture<>();
        CompletableFuture<Void> end = new CompletableFuture<>();
        try (HttpServer server = new HttpServer(System::nanoTime)) {
            InetSocketAddress address = (InetSocketAddress) new ServerBootstrap()
                    .group(server.loop())
                    .channel(NioServerSocketChannel.class)
                    .childHandler(new ChannelInitializer<>() {
                        @Override
                        protected void initChannel(Channel channel) {
                            order.add("accepted");
                        }
                    })
                    .bind(InetAddress.getLoopbackAddress(), 0)
                    .sync()
                    .channel()
                    .localAddress();
            server.loop().execute(() -> {
                try {
                    client.complete(new Socket(address.getAddress(), address.getPort()));
                } catch (java.io.IOException e) {
                    client.completeExceptionally(e);
                }
                server.afterIo(() -> {
                    order.add("after");
                    end.complete(null);
                });
                server.loop().execute(() -> order.add("before"));
            });
            client.get(PATIENCE_S, TimeUnit.SECONDS).close();
            end.get(PATIENCE_S, TimeUnit.SECONDS);
            assertThat(order).containsExactly("before", "accepted", "after");
        }
    }
}
