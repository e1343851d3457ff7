package dpserve.bench.process;

import com.fasterxml.jackson.databind.ObjectMapper;
import dpserve.detokenizer.Detokenizer;
import dpserve.detokenizer.WorkerSplit;
import dpserve.io.SimulatedModel;
import dpserve.io.codec.CodecException;
import dpserve.io.codec.IntArrayForm;
import dpserve.io.codec.MessageCodec;
import dpserve.io.message.BatchStrOutput;
import dpserve.io.message.BatchTokenIDOutput;
import dpserve.io.message.FinishReason;
import dpserve.io.message.Message;
import dpserve.io.message.SamplingParams;
import dpserve.io.message.TokenizedGenerateReqInput;
import dpserve.tokenizer.Deadlines;
import dpserve.tokenizer.JtokkitVocabulary;
import dpserve.tokenizer.ManagerOutput;
import dpserve.tokenizer.OnRankFailure;
import dpserve.tokenizer.Resumption;
import dpserve.tokenizer.SequenceSpec;
import dpserve.tokenizer.TokenizerManager;
import dpserve.tokenizer.http.WorkerMetrics;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Tokens a second that one core of a detokenizer and of a tokenizer manager can take, from frame to frame, without sockets
 * and HTTP: the batches of one rank, in which each of so many requests has so many new tokens. For scripts/bench-pipeline.sh.
 * Arguments: detokenizer or tokenizer, requests of a batch, tokens of each. Prints one line of JSON: the best second of several.
 */
public final class OutputPathMain {
    private static final String WORKER = "tcp://127.0.0.1:1";
    private static final int PROMPT_TOKENS = 32;
    private static final int BATCHES_OF_REPLY = 128;
    private static final long ROUND_NS = 1_000_000_000L;
    private static final int ROUNDS = 6;

    private final int requests;
    private final int tokensEach;
    private final int[] words = SimulatedModel.create().tokenIds();
    private final MessageCodec in = new MessageCodec(IntArrayForm.INT32);
    private final MessageCodec out = new MessageCodec(IntArrayForm.INT32);
    private final Detokenizer detokenizer =
            new Detokenizer(new JtokkitVocabulary(), Detokenizer.DEFAULT_MAX_STATES, OutputPathMain::unexpected);
    private final WorkerSplit split = new WorkerSplit(List.of(WORKER), OutputPathMain::unexpected);
    private final List<String> rids = new ArrayList<>();
    private long sent;

    private OutputPathMain(int requests, int tokensEach) {
        this.requests = requests;
        this.tokensEach = tokensEach;
    }

    public static void main(String[] args) throws Exception {
        OutputPathMain bench = new OutputPathMain(Integer.parseInt(args[1]), Integer.parseInt(args[2]));
        Work work = args[0].equals("detokenizer") ? bench.detokenizer() : bench.tokenizer();
        double best = 0;
        for (int round = 0; round < ROUNDS; round++) {
            best = Math.max(best, bench.round(work));
        }
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("process", args[0]);
        result.put("requests_of_batch", bench.requests);
        result.put("tokens_each", bench.tokensEach);
        result.put("tokens_per_s", best);
        result.put("sent", bench.sent); // so that nothing is optimised away
        System.out.println(new ObjectMapper().writeValueAsString(result));
    }

    private double round(Work work) throws CodecException {
        long spentNs = 0;
        long tokens = 0;
        while (spentNs < ROUND_NS) {
            List<byte[]> frames = work.prepare();
            long began = System.nanoTime();
            for (byte[] frame : frames) {
                work.take(frame);
            }
            spentNs += System.nanoTime() - began;
            tokens += (long) BATCHES_OF_REPLY * requests * tokensEach;
        }
        return tokens * 1e9 / spentNs;
    }

    private interface Work {
        /** The frames of whole replies; not counted. */
        List<byte[]> prepare();

        void take(byte[] frame) throws CodecException;
    }

    private static void unexpected(String kind, String details) {
        throw new IllegalStateException(kind + ": " + details);
    }

    private Work detokenizer() {
        for (int i = 0; i < requests; i++) {
            rids.add("0123456789abcdef0123456789abcdef\u001f1795000000000." + i + ".0");
        }
        List<byte[]> frames = new ArrayList<>();
        for (int number = 0; number < BATCHES_OF_REPLY; number++) {
            frames.add(out.encode(batch(number)));
        }
        return new Work() {
            @Override
            public List<byte[]> prepare() {
                return frames;
            }

            @Override
            public void take(byte[] frame) throws CodecException {
                BatchTokenIDOutput batch = (BatchTokenIDOutput) in.decode(frame);
                split.split(batch, detokenizer.decode(batch), 0, (part, worker) -> sent += out.encode(part).length);
            }
        };
    }

    private Work tokenizer() {
        ManagerOutput output = new ManagerOutput() {
            @Override
            public boolean toController(Message message) {
                if (message instanceof TokenizedGenerateReqInput request) {
                    rids.add(request.rid());
                }
                sent += out.encode(message).length;
                return true;
            }

            @Override
            public void toDetokenizers(Message message) {
                unexpected("a gap", message.toString());
            }
        };
        TokenizerManager manager = new TokenizerManager(
                WORKER,
                1,
                output,
                new WorkerMetrics("simulated"),
                new Resumption(OnRankFailure.FAIL, 0),
                new Deadlines(0),
                ns -> ns / 1e9);
        SequenceSpec spec = new SequenceSpec(
                "0123456789abcdef0123456789abcdef",
                Arrays.copyOf(words, PROMPT_TOKENS),
                SamplingParams.greedy(BATCHES_OF_REPLY * tokensEach),
                true,
                SequenceSpec.Routing.NONE);
        return new Work() {
            @Override
            public List<byte[]> prepare() {
                rids.clear();
                for (int i = 0; i < requests; i++) {
                    manager.submit(spec, (state, text) -> sent += text.length(), System.nanoTime(), System.nanoTime());
                }
                List<byte[]> frames = new ArrayList<>();
                for (int number = 0; number < BATCHES_OF_REPLY; number++) {
                    BatchTokenIDOutput batch = batch(number);
                    split.split(batch, detokenizer.decode(batch), 0, (part, worker) -> frames.add(out.encode(part)));
                }
                return frames;
            }

            @Override
            public void take(byte[] frame) throws CodecException {
                manager.onBatch((BatchStrOutput) in.decode(frame), System.nanoTime());
            }
        };
    }

    /** The rank's output number so many, from 0; the last one ends every request. */
    private BatchTokenIDOutput batch(int number) {
        int n = requests;
        int surrounding = number == 0 ? BatchTokenIDOutput.SURROUNDING_TOKENS : 0;
        boolean last = number == BATCHES_OF_REPLY - 1;
        int done = (number + 1) * tokensEach;
        int[][] outputIds = new int[n][];
        int[][] decodeIds = new int[n][];
        for (int i = 0; i < n; i++) {
            decodeIds[i] = new int[surrounding + tokensEach];
            for (int k = 0; k < decodeIds[i].length; k++) {
                decodeIds[i][k] = words[(number * tokensEach + k + 13 * i) % words.length];
            }
            outputIds[i] = Arrays.copyOfRange(decodeIds[i], surrounding, decodeIds[i].length);
        }
        return new BatchTokenIDOutput(
                rids.toArray(String[]::new),
                filled(new String[n], WORKER),
                filled(new FinishReason[n], last ? new FinishReason.Length(done) : null),
                filled(new String[n], ""),
                decodeIds,
                filled(n, BatchTokenIDOutput.SURROUNDING_TOKENS),
                outputIds,
                new boolean[n],
                new boolean[n],
                new boolean[n],
                filled(n, PROMPT_TOKENS),
                new int[n],
                filled(n, done),
                new int[n],
                new int[n],
                filled(new Integer[n], 0),
                null);
    }

    private static int[] filled(int size, int value) {
        int[] column = new int[size];
        Arrays.fill(column, value);
        return column;
    }

    private static <T> T[] filled(T[] column, T value) {
        Arrays.fill(column, value);
        return column;
    }
}
