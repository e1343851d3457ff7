package dpserve.bench.jmh;

import dpserve.detokenizer.Detokenizer;
import dpserve.io.codec.CodecException;
import dpserve.io.codec.IntArrayForm;
import dpserve.io.codec.MessageCodec;
import dpserve.io.codec.RequestHeader;
import dpserve.io.message.BatchStrOutput;
import dpserve.io.message.BatchTokenIDOutput;
import dpserve.io.message.EndNotice;
import dpserve.io.message.FinishReason;
import dpserve.io.message.GetLoadReqOutput;
import dpserve.io.message.Message;
import dpserve.io.message.SamplingParams;
import dpserve.io.message.TokenizedGenerateReqInput;
import dpserve.io.message.WatchLoadUpdateReq;
import dpserve.tokenizer.JtokkitVocabulary;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** What each message costs the process that writes or reads it, and a token in the detokenizer. For scripts/dev/bench-codecs.sh. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class CodecCost {
    /** Requests in an output batch, each with one new token. */
    private static final int BATCH = 32;

    private static final int PROMPT_TOKENS = 500;
    private static final int FIRST_WORD = 1_000;
    private static final String WORKER = "tcp://127.0.0.1:30234";

    private final MessageCodec codec = new MessageCodec(IntArrayForm.INT32);
    private final RequestHeader header = new RequestHeader();
    private final Detokenizer detokenizer =
            new Detokenizer(new JtokkitVocabulary(), Detokenizer.DEFAULT_MAX_STATES, (kind, detail) -> {
                throw new IllegalStateException(kind + ": " + detail);
            });
    private final TokenizedGenerateReqInput request = TokenizedGenerateReqInput.of(
            rid(0), WORKER, new int[PROMPT_TOKENS], SamplingParams.greedy(100), true);
    private final BatchTokenIDOutput tokens = tokens(2);
    private final BatchStrOutput texts = texts();
    private final byte[] requestFrame = codec.encode(request);
    private final byte[] sglangRequestFrame = new MessageCodec(IntArrayForm.INT64).encode(request);
    private final byte[] tokensFrame = codec.encode(tokens);
    private final byte[] textsFrame = codec.encode(texts);
    private final byte[] endsFrame = codec.encode(new EndNotice(new String[] {rid(1)}));
    private final byte[] reportFrame = codec.encode(
            new WatchLoadUpdateReq(null, null, List.of(GetLoadReqOutput.legacy(1, 20, 3, 40_000, 1.0))));

    public CodecCost() {
        detokenizer.decode(tokens(1));
    }

    private static String rid(int i) {
        return "request-" + i + "\u001f1700000000000." + i + ".0";
    }

    private static String[] rids() {
        String[] rids = new String[BATCH];
        Arrays.setAll(rids, CodecCost::rid);
        return rids;
    }

    private static <T> T filled(T array, Object value) {
        Arrays.fill((Object[]) array, value);
        return array;
    }

    private static int[] of(int value) {
        int[] all = new int[BATCH];
        Arrays.fill(all, value);
        return all;
    }

    /** Each request's so-manieth output. */
    private static BatchTokenIDOutput tokens(int number) {
        int[][] ids = new int[BATCH][];
        Arrays.setAll(ids, i -> new int[] {FIRST_WORD + i});
        return new BatchTokenIDOutput(
                rids(),
                filled(new String[BATCH], WORKER),
                new FinishReason[BATCH],
                filled(new String[BATCH], ""),
                ids,
                new int[BATCH],
                ids,
                new boolean[BATCH],
                new boolean[BATCH],
                new boolean[BATCH],
                of(PROMPT_TOKENS),
                new int[BATCH],
                of(number),
                new int[BATCH],
                new int[BATCH],
                filled(new Integer[BATCH], 1),
                GetLoadReqOutput.legacy(1, BATCH, 0, BATCH * PROMPT_TOKENS, 1.0),
                null,
                null);
    }

    private static BatchStrOutput texts() {
        BatchTokenIDOutput t = tokens(2);
        return new BatchStrOutput(
                t.rids(),
                t.httpWorkerIpcs(),
                t.finishedReasons(),
                filled(new String[BATCH], " word"),
                t.outputIds(),
                t.promptTokens(),
                t.completionTokens(),
                t.reasoningTokens(),
                t.cachedTokens(),
                t.retractionCounts(),
                t.dpRanks(),
                t.load(),
                null,
                null);
    }

    /** What the controller reads of a request of 500 tokens. */
    @Benchmark
    public RequestHeader headerOfRequest() throws CodecException {
        header.peekTag(requestFrame);
        return header.read(requestFrame);
    }

    /** The same in SGLang's form of ids, twice as long. */
    @Benchmark
    public RequestHeader headerOfSglangRequest() throws CodecException {
        header.peekTag(sglangRequestFrame);
        return header.read(sglangRequestFrame);
    }

    @Benchmark
    public byte[] encodeRequest() {
        return codec.encode(request);
    }

    @Benchmark
    public Message decodeRequest() throws CodecException {
        return codec.decode(requestFrame);
    }

    @Benchmark
    public byte[] encodeTokensOf32() {
        return codec.encode(tokens);
    }

    @Benchmark
    public Message decodeTokensOf32() throws CodecException {
        return codec.decode(tokensFrame);
    }

    @Benchmark
    public byte[] encodeTextsOf32() {
        return codec.encode(texts);
    }

    @Benchmark
    public Message decodeTextsOf32() throws CodecException {
        return codec.decode(textsFrame);
    }

    @Benchmark
    public Message decodeEndNotice() throws CodecException {
        return codec.decode(endsFrame);
    }

    @Benchmark
    public Message decodeReport() throws CodecException {
        return codec.decode(reportFrame);
    }

    /** 32 tokens, one of each of 32 requests. */
    @Benchmark
    public String[] detokenize32() {
        return detokenizer.decode(tokens);
    }
}
