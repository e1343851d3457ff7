package dpserve.io.codec;

import dpserve.io.message.FinishReason;
import dpserve.io.message.Message;
import dpserve.io.model.NextToken;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.lang.reflect.Array;
import java.lang.reflect.RecordComponent;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;

/**
 * The Java end of scripts/interop.sh, which compares this codec with SGLang's own message definitions.
 *
 * <pre>
 * random SEED COUNT OUT   COUNT messages of every kind: for each its frame, then its fields by SGLang's names
 * decode IN OUT           for each frame of IN its fields, or {"error": why it cannot be read}
 * </pre>
 *
 * Files hold blocks of a 4-byte big-endian length and as many bytes; fields are a msgpack map.
 */
public final class InteropFrames {
    private final MessageCodec codec = new MessageCodec(IntArrayForm.INT64);
    private final WireWriter writer = new WireWriter(IntArrayForm.INT64);

    public static void main(String[] args) throws IOException {
        InteropFrames frames = new InteropFrames();
        switch (args[0]) {
            case "random" -> frames.random(Long.parseLong(args[1]), Integer.parseInt(args[2]), Path.of(args[3]));
            case "decode" -> frames.decode(Path.of(args[1]), Path.of(args[2]));
            default -> throw new IllegalArgumentException("random or decode, not " + args[0]);
        }
    }

    private void random(long seed, int count, Path out) throws IOException {
        RandomMessages messages = new RandomMessages(seed);
        try (DataOutputStream file = new DataOutputStream(Files.newOutputStream(out))) {
            for (int i = 0; i < count * messages.kinds(); i++) {
                Message message = messages.next(i);
                block(file, codec.encode(message));
                block(file, fields(message));
            }
        }
    }

    private void decode(Path in, Path out) throws IOException {
        try (DataInputStream frames = new DataInputStream(Files.newInputStream(in));
                DataOutputStream file = new DataOutputStream(Files.newOutputStream(out))) {
            while (frames.available() > 0) {
                byte[] frame = frames.readNBytes(frames.readInt());
                try {
                    block(file, fields(codec.decode(frame)));
                } catch (CodecException e) {
                    writer.reset();
                    writer.value(Map.of("error", e.kind() + ": " + e.getMessage()));
                    block(file, writer.toBytes());
                }
            }
        }
    }

    private static void block(DataOutputStream file, byte[] bytes) throws IOException {
        file.writeInt(bytes.length);
        file.write(bytes);
    }

    private byte[] fields(Message message) {
        writer.reset();
        writer.value(value(message));
        return writer.toBytes();
    }

    /** A record as a map by SGLang's names, an array as a list. */
    private static Object value(Object value) {
        if (value instanceof FinishReason reason) {
            WireWriter single = new WireWriter(IntArrayForm.INT64);
            Columns.writeFinishReason(single, reason);
            return generic(single.toBytes());
        }
        if (value instanceof Record struct) {
            return struct(struct);
        }
        if (value instanceof List<?> list) {
            List<Object> copy = new ArrayList<>();
            list.forEach(item -> copy.add(value(item)));
            return copy;
        }
        if (value != null && value.getClass().isArray()) {
            List<Object> copy = new ArrayList<>();
            for (int i = 0; i < Array.getLength(value); i++) {
                copy.add(value(Array.get(value, i)));
            }
            return copy;
        }
        if (value instanceof Enum<?> name) {
            return name.name();
        }
        return value;
    }

    private static Map<String, Object> struct(Record struct) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("type", struct.getClass().getSimpleName());
        for (RecordComponent component : struct.getClass().getRecordComponents()) {
            try {
                Object value = component.getAccessor().invoke(struct);
                if (component.getType() == NextToken[][].class) {
                    logprobs(fields, (NextToken[][]) value);
                } else {
                    fields.put(snakeCase(component.getName()), value(value));
                }
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException(component.toString(), e);
            }
        }
        return fields;
    }

    /** The columns that log probabilities take on the wire, by the release's names. */
    private static void logprobs(Map<String, Object> fields, NextToken[][] tokens) {
        for (String kind : List.of("token_logprobs", "top_logprobs", "token_ids_logprobs")) {
            for (String side : List.of("input", "output")) {
                boolean chosen = side.equals("output") && kind.equals("token_logprobs");
                boolean top = side.equals("output") && kind.equals("top_logprobs");
                fields.put(
                        side + "_" + kind + "_val",
                        column(tokens, t -> chosen ? (Object) t.logprob() : top ? t.topLogprobs() : null, top));
                fields.put(
                        side + "_" + kind + "_idx",
                        column(tokens, t -> chosen ? (Object) t.id() : top ? t.topIds() : null, top));
            }
        }
    }

    private static Object column(NextToken[][] tokens, Function<NextToken, Object> entry, boolean top) {
        if (tokens == null) {
            return null;
        }
        List<Object> column = new ArrayList<>();
        for (NextToken[] ofRequest : tokens) {
            List<Object> row = new ArrayList<>();
            boolean empty = ofRequest == null || top && ofRequest[0].topIds().length == 0;
            for (NextToken token : empty ? new NextToken[0] : ofRequest) {
                Object value = entry.apply(token);
                if (value != null) {
                    row.add(value(value));
                }
            }
            column.add(row);
        }
        return column;
    }

    private static Object generic(byte[] bytes) {
        WireScanner in = new WireScanner();
        try {
            in.reset(bytes);
            return WireValues.value(in, "finish reason");
        } catch (CodecException e) {
            throw new IllegalStateException(new String(bytes, StandardCharsets.ISO_8859_1), e);
        }
    }

    private static String snakeCase(String name) {
        return name.replaceAll("([A-Z])", "_$1").toLowerCase(Locale.ROOT);
    }
}
