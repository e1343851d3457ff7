package dpserve.tokenizer.http;

import dpserve.tokenizer.BadRequest;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.util.List;
import java.util.Map;

/**
 * A request as the endpoints see it.
 *
 * @param method upper case
 * @param uri path and query as sent
 * @param authorization the header's value, or null; never to be logged
 * @param body as sent, maybe empty
 */
public record HttpCall(String method, String uri, String authorization, byte[] body) {

    /** The same without its body: for what lives longer than that is needed. */
    public HttpCall withoutBody() {
        return new HttpCall(method, uri, authorization, new byte[0]);
    }

    /** The path, decoded, without query. */
    public String path() {
        return path(uri);
    }

    /** The path of a target. */
    static String path(String uri) {
        int query = uri.indexOf('?');
        return query < 0 ? uri : uri.substring(0, query);
    }

    /**
     * The first value of a query parameter, or null.
     *
     * @throws BadRequest if the query cannot be decoded
     */
    String query(String name) throws BadRequest {
        Map<String, List<String>> parameters;
        try {
            parameters = new QueryStringDecoder(uri).parameters();
        } catch (IllegalArgumentException e) {
            throw new BadRequest(null, "The query string is not valid: " + e.getMessage());
        }
        List<String> values = parameters.get(name);
        return values == null || values.isEmpty() ? null : values.get(0);
    }
}
