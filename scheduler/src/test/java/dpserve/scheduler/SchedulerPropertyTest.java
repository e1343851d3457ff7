package dpserve.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import dpserve.io.message.FinishReason;
import dpserve.io.message.SamplingParams;
import dpserve.io.message.TokenizedGenerateReqInput;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Random requests and aborts against tiny pools: every request ends exactly once, with the right tokens. */
class SchedulerPropertyTest {
    private static final int REQUESTS = 150;

    private record Sent(int[] prompt, SamplingParams params, int resumed) {}

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26})
    void shouldEndEveryRequestOnceWithItsTokens(int seed) {
        Random random = new Random(seed);
        TestRank rank = new TestRank(randomConfig(random));
        Map<String, Sent> sent = new HashMap<>();
        Set<String> aborted = new HashSet<>();
        while (sent.size() < REQUESTS) {
            for (int burst = random.nextInt(4); burst > 0; burst--) {
                String rid = "r" + sent.size();
                Sent s = randomRequest(random, rank.config);
                sent.put(rid, s);
                rank.send(input(rid, s, random));
            }
            if (random.nextInt(6) == 0) {
                String rid = "r" + random.nextInt(sent.size() + 1);
                boolean ended = rank.reply(rid).isEnded();
                rank.abort(rid);
                if (!ended) {
                    aborted.add(rid);
                }
            }
            for (int steps = random.nextInt(12); steps > 0; steps--) {
                rank.step();
            }
        }
        rank.runUntilIdle();

        rank.assertEmpty();
        assertThat(rank.warnings).isEmpty();
        sent.forEach((rid, s) -> check(rank, rid, s, aborted.contains(rid)));
    }

    private static void check(TestRank rank, String rid, Sent s, boolean aborted) {
        TestRank.Reply reply = rank.reply(rid);
        assertThat(reply.isEnded()).as("%s ended", rid).isTrue();
        SchedulerConfig c = rank.config;
        int promptLength = s.prompt.length - s.resumed;
        if (promptLength > c.maxReqInputLen()) {
            assertThat(reply.abort).as(rid).isNotNull();
            return;
        }
        Expected expected = expected(s, c);
        if (reply.abort != null || reply.reason instanceof FinishReason.Abort) {
            assertThat(aborted).as("%s was aborted", rid).isTrue();
            assertThat(reply.ids).isEqualTo(Arrays.copyOf(expected.ids(), reply.ids.length));
            return;
        }
        assertThat(reply.ids).as(rid).isEqualTo(expected.ids());
        assertThat(reply.reason).as(rid).isEqualTo(expected.reason());
        assertThat(reply.promptTokens).isEqualTo(promptLength);
        int border = Math.max(0, promptLength - 5);
        assertThat(reply.readOffset).isEqualTo(promptLength - border);
        int[] whole = Arrays.copyOf(s.prompt, s.prompt.length + expected.ids().length);
        System.arraycopy(expected.ids(), 0, whole, s.prompt.length, expected.ids().length);
        assertThat(reply.decodeIds).isEqualTo(Arrays.copyOfRange(whole, border, whole.length));
    }

    /** Stop strings may begin in the output of earlier attempts, so those of a resumed request are looked for in all. */
    private static Expected expected(Sent s, SchedulerConfig c) {
        int clipped = c.clipMaxNewTokens(s.params.maxNewTokens(), s.prompt.length);
        if (s.resumed == 0) {
            return Expected.of(s.prompt, s.params, clipped);
        }
        int[] original = Arrays.copyOf(s.prompt, s.prompt.length - s.resumed);
        SamplingParams whole = s.params.withLimits(null, s.params.minNewTokens() + s.resumed);
        Expected e = Expected.of(original, whole, clipped + s.resumed);
        FinishReason reason = e.reason() instanceof FinishReason.Length ? new FinishReason.Length(clipped) : e.reason();
        return new Expected(Arrays.copyOfRange(e.ids(), s.resumed, e.ids().length), reason);
    }

    private static TestConfig randomConfig(Random random) {
        TestConfig c = new TestConfig();
        c.maxTotalTokens = 60 + random.nextInt(300);
        c.contextLength = 40 + random.nextInt(300);
        c.chunkedPrefillSize = random.nextBoolean() ? SchedulerConfig.UNLIMITED : 1 + random.nextInt(40);
        c.maxPrefillTokens = 8 + random.nextInt(200);
        c.maxRunningRequests = 1 + random.nextInt(20);
        c.schedulePolicy = random.nextBoolean() ? SchedulePolicy.LPM : SchedulePolicy.FCFS;
        // Low values admit far too much, so that the pool runs out and requests are retracted.
        c.scheduleConservativeness = random.nextBoolean() ? 0 : random.nextDouble();
        c.disableRadixCache = random.nextInt(4) == 0;
        c.streamInterval = 1 + random.nextInt(4);
        c.forceStreamInterval = 1 + random.nextInt(50);
        c.clipMaxNewTokens = 1 + random.nextInt(60);
        c.detokenizers = 1 + random.nextInt(3);
        return c;
    }

    private static Sent randomRequest(Random random, SchedulerConfig c) {
        int length = 1 + random.nextInt(random.nextInt(10) == 0 ? c.maxReqInputLen() + 4 : 30);
        int[] prompt = new int[length];
        // Few different ids and a common beginning make shared prefixes likely.
        for (int i = 0; i < length; i++) {
            prompt[i] = i < 12 ? 100 + random.nextInt(10) / 9 : 100 + random.nextInt(3);
        }
        Params p = new Params();
        p.maxNewTokens = random.nextInt(12) == 0 ? null : random.nextInt(60);
        p.ignoreEos = random.nextBoolean();
        p.minNewTokens = p.maxNewTokens == null ? 0 : random.nextInt(p.maxNewTokens + 1) * random.nextInt(2);
        p.streamInterval = random.nextBoolean() ? null : 1 + random.nextInt(6);
        int[] output = Expected.MODEL.expectedOutput(prompt, 40, 40, true);
        if (random.nextInt(3) == 0) {
            p.stopTokenIds = new int[] {output[random.nextInt(40)]};
        }
        if (random.nextInt(3) == 0) {
            String text = Expected.text(output);
            int from = random.nextInt(text.length() - 8);
            p.stops = List.of("\u0001never", text.substring(from, from + 1 + random.nextInt(7)));
        }
        return resumed(random, prompt, p.build(), c);
    }

    /** Now and then the request is a second attempt: part of its output exists already. */
    private static Sent resumed(Random random, int[] prompt, SamplingParams params, SchedulerConfig c) {
        Sent fresh = new Sent(prompt, params, 0);
        if (random.nextInt(4) != 0 || prompt.length > c.maxReqInputLen()) {
            return fresh;
        }
        int clipped = c.clipMaxNewTokens(params.maxNewTokens(), prompt.length);
        int[] output = Expected.of(prompt, params, clipped).ids();
        if (output.length < 2) {
            return fresh;
        }
        int done = 1 + random.nextInt(output.length - 1);
        int[] input = Arrays.copyOf(prompt, prompt.length + done);
        System.arraycopy(output, 0, input, prompt.length, done);
        return new Sent(input, params.afterTokens(done), done);
    }

    private static TokenizedGenerateReqInput input(String rid, Sent s, Random random) {
        String extraKey = random.nextInt(4) == 0 ? "tenant" : null;
        return new TokenizedGenerateReqInput(
                rid,
                TestRank.WORKER,
                null,
                s.prompt,
                s.params,
                false,
                -1,
                0,
                random.nextBoolean(),
                null,
                null,
                null,
                null,
                null,
                null,
                null,
                extraKey,
                s.resumed,
                0.0);
    }
}
