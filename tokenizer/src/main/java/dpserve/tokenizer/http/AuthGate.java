package dpserve.tokenizer.http;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.LastHttpContent;

/**
 * Keeps the bodies of those without a key out of memory: a request that will be refused goes on without body and without
 * key, so that its refusal takes its place among the connection's replies.
 */
final class AuthGate extends ChannelInboundHandlerAdapter {
    private final ApiKeys keys;
    private boolean refused;

    AuthGate(ApiKeys keys) {
        this.keys = keys;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        if (message instanceof HttpRequest request) {
            refused = request.decoderResult().isSuccess()
                    && !keys.allows(
                            request.method().name(),
                            HttpCall.path(request.uri()),
                            request.headers().get(HttpHeaderNames.AUTHORIZATION));
            ctx.fireChannelRead(refused ? bare(request) : message);
        } else if (refused && message instanceof HttpContent content) {
            content.release();
            if (message instanceof LastHttpContent) {
                ctx.fireChannelRead(LastHttpContent.EMPTY_LAST_CONTENT);
            }
        } else {
            ctx.fireChannelRead(message);
        }
    }

    private static HttpRequest bare(HttpRequest request) {
        HttpRequest bare = new DefaultHttpRequest(request.protocolVersion(), request.method(), request.uri());
        String connection = request.headers().get(HttpHeaderNames.CONNECTION);
        if (connection != null) {
            bare.headers().set(HttpHeaderNames.CONNECTION, connection);
        }
        return bare;
    }
}
