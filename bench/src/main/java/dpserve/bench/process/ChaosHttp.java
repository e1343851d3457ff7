package dpserve.bench.process;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;

/**
 * One request on a connection of its own. It knows its port, by which the kernel tells which process has the other end, and it
 * may stop reading or hang up where a proper client would not.
 */
final class ChaosHttp implements AutoCloseable {
    static final ObjectMapper JSON = new ObjectMapper();

    private static final int CONNECT_MS = 10_000;
    private static final String DATA = "data: ";

    private final Socket socket = new Socket();
    private final long connectingNs = System.nanoTime();
    private final long connectedNs;
    private final InputStream in;
    private int status;
    private int contentLength = -1;
    private boolean chunked;
    private int chunkLeft;
    private boolean ended;

    /**
     * Connects.
     *
     * @param receiveBuffer bytes, 0 for the kernel's choice
     * @param timeoutMs longest wait for the next byte
     */
    ChaosHttp(URI base, int timeoutMs, int receiveBuffer) throws IOException {
        if (receiveBuffer > 0) {
            socket.setReceiveBufferSize(receiveBuffer);
        }
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(timeoutMs);
        try {
            socket.connect(new InetSocketAddress(base.getHost(), base.getPort()), CONNECT_MS);
        } catch (IOException e) {
            socket.close();
            throw e;
        }
        connectedNs = System.nanoTime();
        in = new BufferedInputStream(socket.getInputStream());
    }

    /** A whole call. */
    record Reply(int status, String body) {
        JsonNode json() throws IOException {
            return JSON.readTree(body);
        }
    }

    static Reply call(URI base, String method, String path, JsonNode body, int timeoutMs) throws IOException {
        try (ChaosHttp http = new ChaosHttp(base, timeoutMs, 0)) {
            http.send(method, path, body);
            http.readHead();
            return new Reply(http.status, http.readBody());
        }
    }

    int port() {
        return socket.getLocalPort();
    }

    /** Whether it may have been connected in a time. */
    boolean connectedIn(long fromNs, long untilNs) {
        return connectedNs - fromNs >= 0 && connectingNs - untilNs <= 0;
    }

    void send(String method, String path, JsonNode body) throws IOException {
        byte[] content = body == null ? new byte[0] : JSON.writeValueAsBytes(body);
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        String head = method + " " + path + " HTTP/1.1\r\nHost: chaos\r\nConnection: close\r\n"
                + "Content-Type: application/json\r\nContent-Length: " + content.length + "\r\n\r\n";
        all.writeBytes(head.getBytes(StandardCharsets.US_ASCII));
        all.writeBytes(content);
        socket.getOutputStream().write(all.toByteArray());
    }

    /** Reads up to the body; returns the status. */
    int readHead() throws IOException {
        String[] first = line(in).split(" ");
        status = Integer.parseInt(first[1]);
        for (String line = line(in); !line.isEmpty(); line = line(in)) {
            String header = line.toLowerCase(java.util.Locale.ROOT);
            if (header.startsWith("content-length:")) {
                contentLength = Integer.parseInt(
                        header.substring(header.indexOf(':') + 1).strip());
            }
            chunked |= header.startsWith("transfer-encoding:") && header.endsWith("chunked");
        }
        return status;
    }

    int status() {
        return status;
    }

    /** The whole body, or what is left of it. */
    String readBody() throws IOException {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        if (chunked) {
            for (int b = chunkByte(); b >= 0; b = chunkByte()) {
                body.write(b);
            }
        } else {
            byte[] bytes = in.readNBytes(Math.max(0, contentLength));
            if (bytes.length < contentLength) {
                throw new EOFException("the reply ended in its middle");
            }
            body.writeBytes(bytes);
        }
        return body.toString(StandardCharsets.UTF_8);
    }

    /** The next event of a stream; null after [DONE] and the end of the body. */
    JsonNode event() throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int b = chunkByte(); b >= 0; b = chunkByte()) {
            if (b != '\n') {
                line.write(b);
                continue;
            }
            String text = line.toString(StandardCharsets.UTF_8);
            line.reset();
            if (text.equals("data: [DONE]")) {
                if (!readBody().isBlank()) {
                    throw new IOException("bytes after [DONE]");
                }
                return null;
            }
            if (text.startsWith(DATA)) {
                return JSON.readTree(text.substring(DATA.length()));
            }
        }
        throw new EOFException("the stream ended without [DONE]");
    }

    private int chunkByte() throws IOException {
        if (chunkLeft == 0 && !ended) {
            String size = line(in);
            chunkLeft = Integer.parseInt(size.isEmpty() ? line(in) : size, 16);
            ended = chunkLeft == 0;
        }
        if (ended) {
            return -1;
        }
        chunkLeft--;
        int b = in.read();
        if (b < 0) {
            throw new EOFException("the reply ended in its middle");
        }
        return b;
    }

    private static String line(InputStream in) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int b = in.read(); b != '\n'; b = in.read()) {
            if (b < 0) {
                throw new EOFException("the connection was closed before the reply");
            }
            if (b != '\r') {
                line.write(b);
            }
        }
        return line.toString(StandardCharsets.ISO_8859_1);
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            // It is closed.
        }
    }
}
