package dpserve.bench.jmh;

import dpserve.io.codec.CodecException;
import dpserve.io.codec.IntArrayForm;
import dpserve.io.codec.MessageCodec;
import dpserve.io.message.BatchStrOutput;
import dpserve.io.message.BatchTokenIDOutput;
import dpserve.io.message.FinishReason;
import dpserve.io.message.Message;
import dpserve.io.message.SamplingParams;
import dpserve.io.message.Stamps;
import dpserve.io.message.TokenizedGenerateReqInput;
import dpserve.tokenizer.Deadlines;
import dpserve.tokenizer.ManagerOutput;
import dpserve.tokenizer.OnRankFailure;
import dpserve.tokenizer.Resumption;
import dpserve.tokenizer.SequenceSpec;
import dpserve.tokenizer.TokenizerManager;
import dpserve.tokenizer.http.WorkerMetrics;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** What the stage times of one request cost: its stamps on both hops, and its life in the worker with and without them. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class StagesCost {
    private static final String WORKER = "tcp://127.0.0.1:1";
    private static final double NOW_S = 1.8e9;

    @Param({"false", "true"})
    public boolean stamps;

    private final MessageCodec rank = new MessageCodec(IntArrayForm.INT32);
    private final MessageCodec detokenizer = new MessageCodec(IntArrayForm.INT32);
    private final MessageCodec worker = new MessageCodec(IntArrayForm.INT32);
    private final WorkerMetrics metrics = new WorkerMetrics("m");
    private String wireRid;
    private long nowNs = 1_000_000_000L;

    private final TokenizerManager manager = new TokenizerManager(
            WORKER,
            7,
            new ManagerOutput() {
                @Override
                public boolean toController(Message message) {
                    if (message instanceof TokenizedGenerateReqInput request) {
                        wireRid = request.rid();
                    }
                    return true;
                }

                @Override
                public void toDetokenizers(Message message) {
                    // Nothing is dropped here.
                }
            },
            metrics,
            new Resumption(OnRankFailure.RESUME, 0),
            new Deadlines(0),
            ns -> NOW_S + ns / 1e9);

    private double[][] stampsOf() {
        double[] of = new double[Stamps.COUNT];
        for (int i = 0; i < of.length; i++) {
            of[i] = NOW_S + nowNs / 1e9 - (of.length - i) * 1e-3;
        }
        return stamps ? new double[][] {of} : null;
    }

    private BatchStrOutput ended(String rid) {
        return new BatchStrOutput(
                new String[] {rid},
                new String[] {WORKER},
                new FinishReason[] {new FinishReason.Length(1)},
                new String[] {" word"},
                new int[][] {{5}},
                new int[] {3},
                new int[] {1},
                new int[1],
                new int[1],
                new int[1],
                new Integer[] {0},
                null,
                stampsOf(),
                null);
    }

    /** The last output of a request, from the rank's codec to the worker's. */
    @Benchmark
    public Message bothHops() throws CodecException {
        BatchTokenIDOutput out = new BatchTokenIDOutput(
                new String[] {"r"},
                new String[] {WORKER},
                new FinishReason[] {new FinishReason.Length(1)},
                new String[] {""},
                new int[][] {{1, 2, 3, 5}},
                new int[] {3},
                new int[][] {{5}},
                new boolean[1],
                new boolean[1],
                new boolean[1],
                new int[] {3},
                new int[1],
                new int[] {1},
                new int[1],
                new int[1],
                new Integer[] {0},
                null,
                stampsOf(),
                null);
        detokenizer.decode(rank.encode(out));
        return worker.decode(detokenizer.encode(ended("r")));
    }

    /** A request in the worker from acceptance to end, metrics and the log of requests among it. */
    @Benchmark
    public void inTheWorker() {
        nowNs += 10_000_000L;
        manager.submit(
                new SequenceSpec("u", new int[] {1, 2, 3}, SamplingParams.greedy(1), true, SequenceSpec.Routing.NONE),
                (state, text) -> {},
                nowNs - 9_000_000L,
                nowNs - 8_000_000L);
        manager.onBatch(ended(wireRid), nowNs);
    }
}
