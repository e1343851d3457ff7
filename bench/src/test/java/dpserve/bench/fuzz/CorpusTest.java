package dpserve.bench.fuzz;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import dpserve.io.codec.IntArrayForm;
import dpserve.io.codec.MessageCodec;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** The fuzz targets on the kept examples and on many bytes near them; Jazzer looks further. */
class CorpusTest {
    private static final long SEED = 20261123;
    private static final int FRAMES = 200_000;
    private static final int BODIES = 30_000;

    @Test
    void shouldHoldAFrameOfEveryKindOfMessage() throws Exception {
        TreeSet<String> kinds = new TreeSet<>();
        for (byte[] frame : Corpus.frames()) {
            kinds.add(new MessageCodec(IntArrayForm.INT32)
                    .decode(frame)
                    .getClass()
                    .getSimpleName());
        }
        TreeSet<String> all = new TreeSet<>();
        for (Class<?> kind : dpserve.io.message.Message.class.getPermittedSubclasses()) {
            all.add(kind.getSimpleName());
        }
        assertThat(kinds).isEqualTo(all);
    }

    @Test
    void shouldDecodeOrRefuseAnyFrame() {
        Corpus.frames().forEach(FrameTarget::fuzzerTestOneInput);
        Mutator mutator = new Mutator(Corpus.frames(), SEED);
        for (int i = 0; i < FRAMES; i++) {
            byte[] frame = mutator.next();
            int number = i;
            assertThatCode(() -> FrameTarget.fuzzerTestOneInput(frame))
                    .as("frame %d of seed %d", number, SEED)
                    .doesNotThrowAnyException();
        }
    }

    @Test
    void shouldParseOrRefuseAnyBody() {
        List<byte[]> bodies = Corpus.http().stream()
                .map(CorpusTest::body)
                .filter(b -> b.length > 0)
                .toList();
        bodies.forEach(BodyTarget::fuzzerTestOneInput);
        Mutator mutator = new Mutator(bodies, SEED);
        for (int i = 0; i < BODIES; i++) {
            byte[] body = mutator.next();
            int number = i;
            assertThatCode(() -> BodyTarget.fuzzerTestOneInput(body))
                    .as("body %d of seed %d", number, SEED)
                    .doesNotThrowAnyException();
        }
    }

    @Test
    void shouldMutateTheSameFromTheSameSeed() {
        Mutator one = new Mutator(Corpus.frames(), 1);
        Mutator other = new Mutator(Corpus.frames(), 1);
        for (int i = 0; i < 1000; i++) {
            assertThat(one.next()).isEqualTo(other.next());
        }
        assertThat(new Mutator(Corpus.frames(), 1).next()).isNotEqualTo(new Mutator(Corpus.frames(), 2).next());
    }

    private static byte[] body(byte[] request) {
        for (int i = 0; i + 3 < request.length; i++) {
            if (request[i] == '\r' && request[i + 1] == '\n' && request[i + 2] == '\r') {
                return Arrays.copyOfRange(request, i + 4, request.length);
            }
        }
        return new byte[0];
    }
}
