package dpserve.io.codec;

import dpserve.io.message.AbortReq;
import dpserve.io.message.BatchStrOutput;
import dpserve.io.message.BatchTokenIDOutput;
import dpserve.io.message.BatchTokenizedGenerateReqInput;
import dpserve.io.message.ControllerHello;
import dpserve.io.message.DrainRank;
import dpserve.io.message.DropState;
import dpserve.io.message.EndNotice;
import dpserve.io.message.Fenced;
import dpserve.io.message.FinishReason;
import dpserve.io.message.FlushCacheReqInput;
import dpserve.io.message.FlushCacheReqOutput;
import dpserve.io.message.GetInternalStateReq;
import dpserve.io.message.GetInternalStateReqOutput;
import dpserve.io.message.GetLoadReqInput;
import dpserve.io.message.GetLoadReqOutput;
import dpserve.io.message.GetRequestReq;
import dpserve.io.message.GetRequestReqOutput;
import dpserve.io.message.HealthCheckOutput;
import dpserve.io.message.Heartbeat;
import dpserve.io.message.HeldRids;
import dpserve.io.message.Hello;
import dpserve.io.message.KnownRids;
import dpserve.io.message.KvBlocks;
import dpserve.io.message.KvFailed;
import dpserve.io.message.KvPull;
import dpserve.io.message.KvReceived;
import dpserve.io.message.KvRoute;
import dpserve.io.message.KvRouteReq;
import dpserve.io.message.LoadBalanceState;
import dpserve.io.message.LostRids;
import dpserve.io.message.Message;
import dpserve.io.message.RankDown;
import dpserve.io.message.RankStatus;
import dpserve.io.message.RankUp;
import dpserve.io.message.Refused;
import dpserve.io.message.Role;
import dpserve.io.message.SamplingParams;
import dpserve.io.message.SetLoadBalance;
import dpserve.io.message.ShutdownReq;
import dpserve.io.message.StepDone;
import dpserve.io.message.TokenizedGenerateReqInput;
import dpserve.io.message.WatchLoadUpdateReq;
import dpserve.io.model.NextToken;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/** Every kind of message with random contents, from a seed. */
final class RandomMessages {
    private final Random random;
    private final List<Supplier<Message>> kinds;

    RandomMessages(long seed) {
        this.random = new Random(seed);
        this.kinds = List.of(
                this::generate,
                () -> new BatchTokenizedGenerateReqInput(
                        texts(2, false), texts(2, true), List.of(generate(), generate())),
                () -> tokenIds(random.nextInt(4)),
                () -> strings(random.nextInt(4)),
                () -> new AbortReq(text(), optText(), random.nextBoolean(), reason(), optText()),
                () -> new HealthCheckOutput(optText(), optText()),
                () -> new FlushCacheReqInput(optText(), optText(), random.nextBoolean() ? null : random.nextDouble()),
                () -> new FlushCacheReqOutput(optText(), optText(), random.nextBoolean(), text(), optInt()),
                () -> new GetInternalStateReq(optText(), optText()),
                () -> new GetInternalStateReqOutput(optText(), optText(), state(3)),
                () -> new GetRequestReq(optText(), optText(), text()),
                () -> new GetRequestReqOutput(optText(), optText(), text(), state(2)),
                () -> new GetLoadReqInput(optText(), optText()),
                this::load,
                () -> new WatchLoadUpdateReq(optText(), optText(), List.of(load(), load())),
                () -> new ShutdownReq(optText(), optText()),
                this::hello,
                () -> new Heartbeat(index(), positive(), text(), positive(), index(), random.nextLong(), optLoad()),
                () -> new ControllerHello(positive(), index()),
                () -> new RankUp(index(), positive(), text(), Map.of("max_total_num_tokens", positive()), text()),
                () -> new SetLoadBalance(
                        optText(), optText(), optText(), optText(), random.nextBoolean() ? null : random.nextDouble()),
                () -> new LoadBalanceState(optText(), optText(), text(), text(), text(), random.nextDouble()),
                () -> new DrainRank(optText(), optText(), index(), text()),
                () -> new RankStatus(optText(), optText(), text(), index(), text(), positive()),
                () -> new KvRouteReq(positive(), text()),
                () -> new KvRoute(positive(), index(), positive(), text()),
                () -> new KvPull(positive(), index(), text()),
                () -> new KvBlocks(positive(), text(), 3, 19, new byte[16], first(), index()),
                () -> new KvReceived(positive()),
                () -> new KvFailed(positive(), text()),
                () -> new StepDone(index(), positive(), positive(), random.nextDouble()),
                () -> new RankDown(index(), positive(), text(), texts(random.nextInt(4), false)),
                () -> new Refused(text(), 503, text()),
                () -> new Fenced(index(), positive()),
                () -> new HeldRids(index(), positive(), texts(random.nextInt(40), false)),
                () -> new KnownRids(positive(), texts(random.nextInt(40), false), positive()),
                () -> new LostRids(index(), texts(random.nextInt(4), false)),
                () -> new EndNotice(texts(random.nextInt(40), false)),
                () -> new DropState(texts(random.nextInt(4), false)));
    }

    /** How many kinds there are. */
    int kinds() {
        return kinds.size();
    }

    Message next(int kind) {
        return kinds.get(kind % kinds.size()).get();
    }

    private TokenizedGenerateReqInput generate() {
        int[] ids = ids(1 + random.nextInt(200));
        return new TokenizedGenerateReqInput(
                text(),
                optText(),
                optText(),
                ids,
                params(),
                random.nextBoolean(),
                random.nextInt(5) - 1,
                random.nextInt(5),
                random.nextBoolean(),
                optText(),
                optInt(),
                random.nextBoolean() ? null : random.nextLong(),
                optInt(),
                optInt(),
                optText(),
                optInt(),
                optText(),
                random.nextInt(ids.length + 1),
                random.nextDouble() * 1e9);
    }

    private SamplingParams params() {
        return new SamplingParams(
                optInt(),
                random.nextBoolean() ? new int[0] : ids(3),
                random.nextDouble(),
                random.nextDouble(),
                random.nextInt(1 << 30),
                random.nextDouble(),
                random.nextDouble(),
                random.nextDouble(),
                random.nextDouble(),
                random.nextInt(100),
                1 + random.nextInt(4),
                random.nextBoolean(),
                random.nextBoolean(),
                random.nextBoolean(),
                random.nextBoolean(),
                optInt(),
                random.nextBoolean() ? null : Map.of("17", random.nextDouble()),
                random.nextBoolean() ? null : random.nextLong(),
                List.of(texts(random.nextInt(3), false)),
                random.nextInt(9));
    }

    private BatchTokenIDOutput tokenIds(int n) {
        return new BatchTokenIDOutput(
                texts(n, false),
                random.nextBoolean() ? null : texts(n, true),
                reasons(n),
                texts(n, false),
                lists(n),
                ints(n),
                random.nextBoolean() ? null : lists(n),
                bools(n),
                bools(n),
                bools(n),
                ints(n),
                ints(n),
                ints(n),
                ints(n),
                ints(n),
                optInts(n),
                optLoad(),
                stamps(n),
                logprobs(n));
    }

    private BatchStrOutput strings(int n) {
        return new BatchStrOutput(
                texts(n, false),
                random.nextBoolean() ? null : texts(n, true),
                reasons(n),
                texts(n, false),
                random.nextBoolean() ? null : lists(n),
                ints(n),
                ints(n),
                ints(n),
                ints(n),
                ints(n),
                optInts(n),
                optLoad(),
                stamps(n),
                logprobs(n));
    }

    /** Null where no request has any, as the decoder gives it. */
    private NextToken[][] logprobs(int n) {
        NextToken[][] logprobs = new NextToken[n][];
        boolean any = false;
        for (int i = 0; i < n; i++) {
            if (random.nextBoolean()) {
                int top = random.nextInt(3);
                logprobs[i] = new NextToken[1 + random.nextInt(3)];
                for (int k = 0; k < logprobs[i].length; k++) {
                    logprobs[i][k] = new NextToken(
                            random.nextInt(1000),
                            -random.nextDouble(),
                            random.ints(top, 0, 1000).toArray(),
                            random.doubles(top).toArray());
                }
                any = true;
            }
        }
        return any ? logprobs : null;
    }

    private double[][] stamps(int n) {
        if (random.nextBoolean()) {
            return null;
        }
        double[][] stamps = new double[n][];
        for (int i = 0; i < n; i++) {
            stamps[i] = random.nextBoolean() ? null : random.doubles(6).toArray();
        }
        return stamps;
    }

    private Hello hello() {
        Role role = Role.values()[random.nextInt(Role.values().length)];
        Map<String, String> endpoints = Map.of(Hello.PULL, text());
        return new Hello(
                role, index(), positive(), endpoints, 1, positive(), Map.of("a", -positive()), texts(3, false));
    }

    private GetLoadReqOutput load() {
        if (random.nextInt(4) == 0) {
            return GetLoadReqOutput.legacy(index(), index(), index(), index(), random.nextDouble());
        }
        return new GetLoadReqOutput(
                optText(),
                optText(),
                index(),
                index(),
                index(),
                index(),
                random.nextDouble(),
                positive(),
                positive(),
                positive(),
                positive(),
                positive(),
                positive(),
                positive(),
                index(),
                index(),
                random.nextDouble(),
                random.nextDouble(),
                positive());
    }

    private GetLoadReqOutput optLoad() {
        return random.nextBoolean() ? null : load();
    }

    private FinishReason reason() {
        return switch (random.nextInt(6)) {
            case 0 -> new FinishReason.StopToken(random.nextInt());
            case 1 -> new FinishReason.StopString(text());
            case 2 -> new FinishReason.Length(random.nextInt());
            case 3 -> new FinishReason.Abort(text(), optInt(), optText());
            default -> null;
        };
    }

    private FinishReason[] reasons(int n) {
        return IntStream.range(0, n).mapToObj(i -> reason()).toArray(FinishReason[]::new);
    }

    private Map<String, Object> state(int depth) {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("text", text());
        map.put("long", random.nextLong());
        map.put("double", random.nextDouble());
        map.put("bool", random.nextBoolean());
        map.put("nil", null);
        map.put("list", Arrays.asList(text(), (long) index(), null));
        if (depth > 0) {
            map.put("map", state(depth - 1));
        }
        return map;
    }

    private String text() {
        int length = random.nextInt(10) == 0 ? random.nextInt(70_000) : random.nextInt(40);
        StringBuilder b = new StringBuilder();
        while (b.length() < length) {
            int cp = random.nextInt(10) == 0 ? random.nextInt(Character.MAX_CODE_POINT + 1) : ' ' + random.nextInt(90);
            if (cp < Character.MIN_SURROGATE || cp > Character.MAX_SURROGATE) {
                b.appendCodePoint(cp);
            }
        }
        return b.toString();
    }

    private String optText() {
        return random.nextBoolean() ? null : text();
    }

    private String[] texts(int n, boolean nullable) {
        return IntStream.range(0, n)
                .mapToObj(i -> nullable ? optText() : text())
                .toArray(String[]::new);
    }

    private Integer optInt() {
        return random.nextBoolean() ? null : Integer.valueOf(random.nextInt());
    }

    private Integer[] optInts(int n) {
        return random.nextBoolean()
                ? null
                : IntStream.range(0, n).mapToObj(i -> optInt()).toArray(Integer[]::new);
    }

    private KvBlocks.First first() {
        if (random.nextBoolean()) {
            return null;
        }
        int[] topIds = new int[random.nextInt(4)];
        double[] topLogprobs = new double[topIds.length];
        for (int i = 0; i < topIds.length; i++) {
            topIds[i] = index();
            topLogprobs[i] = -random.nextDouble();
        }
        return new KvBlocks.First(index(), random.nextBoolean() ? null : -1.5, topIds, topLogprobs);
    }

    private int index() {
        return random.nextInt(1 << random.nextInt(1, 31));
    }

    private long positive() {
        return random.nextLong(1L << random.nextInt(1, 62));
    }

    private int[] ids(int n) {
        return random.ints(n).toArray();
    }

    private int[] ints(int n) {
        return random.ints(n).toArray();
    }

    private int[][] lists(int n) {
        return IntStream.range(0, n).mapToObj(i -> ids(random.nextInt(60))).toArray(int[][]::new);
    }

    private boolean[] bools(int n) {
        boolean[] values = new boolean[n];
        for (int i = 0; i < n; i++) {
            values[i] = random.nextBoolean();
        }
        return values;
    }
}
