package dpserve.detokenizer.process;

import dpserve.detokenizer.Detokenizer;
import dpserve.io.Endpoints;
import dpserve.io.Env;
import dpserve.io.Incarnation;
import dpserve.io.TopologyArgs;
import dpserve.io.codec.IntArrayForm;
import dpserve.io.process.CommandRunner;
import dpserve.io.process.ShutdownSignal;
import dpserve.io.socket.BindException;
import dpserve.io.socket.Contexts;
import dpserve.io.socket.Outbox;
import dpserve.tokenizer.process.VocabularyArgs;
import java.util.concurrent.Callable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Starts a detokenizer: tokens from the schedulers become text for the tokenizer workers. */
@Command(
        name = "detokenizer",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Turns the schedulers' tokens into text for the tokenizer workers.")
public final class DetokenizerMain implements Callable<Integer> {
    private static final Logger LOG = LoggerFactory.getLogger(DetokenizerMain.class);

    /** Bounds memory: a state takes about 1 kB. */
    private static final int LARGEST_MAX_STATES = 10_000_000;

    @Mixin
    private final TopologyArgs topology = new TopologyArgs();

    @Mixin
    private final VocabularyArgs vocabulary = new VocabularyArgs();

    @Option(
            names = "--detokenizer-index",
            defaultValue = "0",
            description = "Which of the detokenizers this is, from 0 (default: ${DEFAULT-VALUE}).")
    private int index;

    @Option(
            names = "--token-id-form",
            defaultValue = "int32",
            description = "How token ids are written towards the tokenizer: int32 between Java processes, int64 towards"
                    + " SGLang's (default: ${DEFAULT-VALUE}).")
    private String tokenIdForm;

    public static void main(String[] args) {
        CommandRunner.run(new DetokenizerMain(), args);
    }

    @Override
    public Integer call() throws BindException {
        DetokenizerConfig config = config();
        ShutdownSignal signal = ShutdownSignal.install();
        try (DetokenizerProcess process =
                new DetokenizerProcess(config, vocabulary.open(null), Contexts.create(topology.keys()))) {
            LOG.info("READY detokenizer {} pull={}", index, process.endpoint());
            signal.whenRequested(process::wake);
            process.run(signal::isRequested);
        } finally {
            signal.completed();
        }
        return 0;
    }

    private DetokenizerConfig config() {
        Endpoints endpoints = topology.endpoints();
        int last = endpoints.detokenizer().size() - 1;
        if (index < 0 || index > last) {
            throw new IllegalArgumentException("--detokenizer-index must be 0 to " + last + ", not " + index);
        }
        int maxStates = Env.system()
                .integer("SGLANG_DETOKENIZER_MAX_STATES", Detokenizer.DEFAULT_MAX_STATES, 1, LARGEST_MAX_STATES);
        return new DetokenizerConfig(
                index,
                endpoints,
                maxStates,
                form(),
                new Incarnation().next(System.currentTimeMillis()),
                Outbox.DEFAULT_MAX_BYTES);
    }

    private IntArrayForm form() {
        return switch (tokenIdForm) {
            case "int32" -> IntArrayForm.INT32;
            case "int64" -> IntArrayForm.INT64;
            default -> throw new IllegalArgumentException("--token-id-form must be int32 or int64");
        };
    }
}
