package dpserve.controller;

import static dpserve.controller.Harness.info;
import static dpserve.controller.Harness.pinned;
import static org.assertj.core.api.Assertions.assertThat;

import dpserve.controller.policy.RequestInfo;
import dpserve.io.codec.EndedRids;
import dpserve.io.codec.IntArrayForm;
import dpserve.io.codec.MessageCodec;
import dpserve.io.codec.TextSpan;
import dpserve.io.message.AbortReq;
import dpserve.io.message.EndNotice;
import dpserve.io.message.FinishReason;
import dpserve.io.message.RankDown;
import dpserve.io.message.RankUp;
import dpserve.io.message.Refused;
import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.Test;

class DispatchTest {
    private final Harness h = new Harness(2, 2);

    private void bothUp() {
        h.rankUp(0, 50);
        h.rankUp(1, 51);
        h.workerUp(0, 100);
        h.workerUp(1, 101);
        h.out.clear();
    }

    @Test
    void shouldEndAnAttemptWhoseRidIsNoUtf8() throws Exception {
        bothUp();
        MessageCodec codec = new MessageCodec(IntArrayForm.INT32);
        byte[] notice = codec.encode(new EndNotice(new String[] {"a?\u001f100.1.0"}));
        EndedRids ended = EndedRids.read(notice);
        TextSpan rid = ended.rid(0);
        notice[rid.from() + 1] = (byte) 0xff; // the request's reader made a replacement character of it
        h.request(0, info("a\ufffd\u001f100.1.0", 10));
        assertThat(h.controller.rids().size()).isEqualTo(1);
        h.controller.onEndNotice(0, ended, h.nowNs);
        assertThat(h.controller.rids().size()).isZero();
    }

    @Test
    void shouldForwardTheSameBytesAndAccountForThem() {
        bothUp();
        byte[] frame = {5, 6, 7};
        h.controller.onRequest(0, info("a\u001f100.1.0", 30), frame, h.nowNs);
        assertThat(h.out.takeRank(0)).containsExactly(frame);
        assertThat(h.controller.view().requests(0)).isEqualTo(1);
        assertThat(h.controller.view().inFlightPromptTokens(0)).isEqualTo(30);
        assertThat(h.controller.rids().get("a\u001f100.1.0"))
                .isEqualTo(new RidMap.Entry("a\u001f100.1.0", 0, 0, 50, 30));
        h.end(0, "a\u001f100.1.0", "a\u001f100.1.0");
        assertThat(h.controller.view().requests(0)).isZero();
        assertThat(h.count(Count.ENDED)).isEqualTo(1);
        assertThat(h.count(Count.UNKNOWN_ENDS)).isEqualTo(1);
    }

    @Test
    void shouldWriteTheDispatchTimeOnlyWhereItsPlaceIs() {
        bothUp();
        byte[] with = new byte[12];
        RequestInfo stamped =
                new RequestInfo("a\u001f100.1.0", null, 1, RequestInfo.NO_RANK, RequestInfo.NO_ROOM, null, true);
        h.controller.onRequest(0, stamped, with, h.nowNs);
        assertThat(ByteBuffer.wrap(with).getDouble(4)).isEqualTo(h.nowNs / 1e9);
        assertThat(ByteBuffer.wrap(with).getInt(0)).isZero();

        byte[] without = new byte[12];
        h.controller.onRequest(0, info("b\u001f100.2.0", 1), without, h.nowNs);
        byte[] legacy = new byte[12];
        h.controller.onRequest(2, stamped, legacy, h.nowNs);
        assertThat(without).isEqualTo(new byte[12]);
        assertThat(legacy).as("a stream without hello").isEqualTo(new byte[12]);
    }

    @Test
    void shouldSendPinnedRequestsToTheirRankOrRefuseThem() {
        h.rankUp(1, 51);
        h.workerUp(0, 100);
        h.out.clear();
        h.request(0, pinned("a\u001f100.1.0", 1));
        h.request(0, pinned("b\u001f100.2.0", 0));
        h.request(0, pinned("c\u001f100.3.0", 2));
        h.request(0, pinned("d\u001f100.4.0", -1));
        assertThat(h.out.takeRank(1)).hasSize(1);
        assertThat(h.out.takeWorker(0))
                .containsExactly(
                        new Refused("b\u001f100.2.0", 503, "dp_rank 0 is not up"),
                        new Refused("c\u001f100.3.0", 400, "routed_dp_rank must be 0 to 1"),
                        new Refused("d\u001f100.4.0", 400, "routed_dp_rank must be 0 to 1"));
        assertThat(h.controller.rids().size()).isEqualTo(1);
    }

    @Test
    void shouldRefuseAtOnceWhenTheRanksQueueIsFull() {
        bothUp();
        h.out.fullRanks.add(0);
        h.request(0, info("a\u001f100.1.0", 1));
        h.request(0, info("b\u001f100.2.0", 1));
        assertThat(h.out.takeWorker(0))
                .containsExactly(new Refused("a\u001f100.1.0", 503, "the queue to dp_rank 0 is full"));
        assertThat(h.controller.rids().size()).isEqualTo(1);
        assertThat(h.controller.view().requests(0)).isZero();
    }

    @Test
    void shouldHoldRequestsUntilARankIsUpAndKeepTheirOrder() {
        h.workerUp(0, 100);
        String first = h.request(0, "a");
        String second = h.request(0, "b");
        assertThat(h.controller.heldRequests()).isEqualTo(2);
        h.pass(4000);
        h.rankUp(1, 51);
        assertThat(h.controller.heldRequests()).isZero();
        assertThat(h.controller.rids().get(first).dpRank()).isEqualTo(1);
        assertThat(h.controller.rids().get(second).dpRank()).isEqualTo(1);
        assertThat(h.out.takeRank(1)).as("greeting first").hasSize(3);
    }

    @Test
    void shouldRefuseWhatWaitedTooLong() {
        h.workerUp(0, 100);
        String early = h.request(0, "a");
        h.pass(3000);
        String late = h.request(0, "b");
        h.out.clear();
        h.pass(1990);
        assertThat(h.out.takeWorker(0, Refused.class)).isEmpty();
        h.pass(50);
        assertThat(h.out.takeWorker(0, Refused.class)).containsExactly(new Refused(early, 503, "no rank is up"));
        h.pass(3000);
        assertThat(h.out.takeWorker(0, Refused.class)).containsExactly(new Refused(late, 503, "no rank is up"));
        assertThat(h.controller.heldRequests()).isZero();
    }

    @Test
    void shouldForgetAHeldRequestThatItsOwnerEnded() {
        h.workerUp(0, 100);
        h.end(0, h.request(0, "a"));
        assertThat(h.controller.heldRequests()).isZero();
    }

    @Test
    void shouldNotDispatchTheSameRidTwice() {
        bothUp();
        h.request(0, info("a\u001f100.1.0", 1));
        h.request(0, info("a\u001f100.1.0", 1));
        assertThat(h.count(Count.DUPLICATE_RIDS)).isEqualTo(1);
        assertThat(h.out.takeRank(0)).hasSize(1);
        assertThat(h.out.takeRank(1)).isEmpty();
    }

    @Test
    void shouldNeitherCountNorMapHealthProbesNorDisturbThePolicy() {
        bothUp();
        h.request(0, info("a\u001f100.1.0", 1));
        h.request(0, info("HEALTH_CHECK_1\u001f100.2.0", 1));
        h.request(0, info("HEALTH_CHECK_2\u001f100.3.0", 1));
        h.request(0, info("b\u001f100.4.0", 1));
        assertThat(h.controller.rids().get("b\u001f100.4.0").dpRank()).isEqualTo(1);
        assertThat(h.controller.rids().size()).isEqualTo(2);
        assertThat(h.out.takeRank(0)).hasSize(2);
        assertThat(h.out.takeRank(1)).hasSize(2);
    }

    @Test
    void shouldCountLegacyRequestsAndNotMapThem() {
        bothUp();
        h.request(2, info("a", 10));
        h.request(2, info("a", 10));
        h.request(2, info(null, 10));
        assertThat(h.controller.rids().size()).isZero();
        assertThat(h.controller.view().requests(0)).isEqualTo(2);
        assertThat(h.controller.view().requests(1)).isEqualTo(1);
    }

    @Test
    void shouldTellASglangTokenizerOfARefusalInWordsItKnows() {
        h.rankUp(1, 51);
        h.request(0, pinned("user", 0));
        assertThat(h.out.workerConnections).containsEntry(0, Harness.WORKER_ENDPOINT + 0);
        List<AbortReq> told = h.out.takeWorker(0, AbortReq.class);
        assertThat(told).hasSize(1);
        assertThat(told.get(0).rid()).isEqualTo("user");
        assertThat(told.get(0).finishedReason()).isEqualTo(new FinishReason.Abort("dp_rank 0 is not up", 503, null));
    }

    @Test
    void shouldRefuseWhatFollowBootstrapRoomCannotPlace() {
        Harness pd = new Harness(2, 1, 0, "follow_bootstrap_room");
        pd.rankUp(1, 51);
        pd.workerUp(0, 100);
        pd.out.clear();
        pd.request(0, new RequestInfo("a\u001f100.1.0", null, 1, RequestInfo.NO_RANK, 7, null, false));
        pd.request(0, new RequestInfo("b\u001f100.2.0", null, 1, RequestInfo.NO_RANK, 8, null, false));
        pd.request(0, info("c\u001f100.3.0", 1));
        assertThat(pd.out.takeWorker(0, Refused.class))
                .extracting(Refused::status)
                .containsExactly(503, 400);
        assertThat(pd.controller.rids().get("a\u001f100.1.0").dpRank()).isEqualTo(1);
    }

    @Test
    void shouldEndTheRequestsOfALegacyRankThatStaysAway() {
        Harness h = new Harness(2, 1, 2, "round_robin");
        h.workerUp(0, 100);
        h.out.connectRank(0, "bound");
        h.controller.onLegacyConnection(0, true, h.nowNs);
        String rid = h.request(0, "a");
        h.out.takeWorker(0, RankDown.class);
        h.pass(1000);
        assertThat(h.controller.rids().contains(rid)).isTrue();

        h.controller.onLegacyConnection(0, false, h.nowNs);
        h.pass(500);
        assertThat(h.controller.rids().contains(rid)).as("it may come back").isTrue();
        h.pass(500);
        assertThat(h.controller.rids().contains(rid)).isFalse();
        assertThat(h.out.takeWorker(0, RankDown.class))
                .singleElement()
                .satisfies(down -> assertThat(down.rids()).containsExactly(rid));
        h.pass(5000);
        assertThat(h.out.takeWorker(0, RankDown.class)).isEmpty();

        h.controller.onLegacyConnection(0, true, h.nowNs);
        assertThat(h.out.takeWorker(0, RankUp.class)).hasSize(1);
        String next = h.request(0, "b");
        assertThat(h.controller.rids().get(next).dpRank()).isZero();
    }

    @Test
    void shouldUseLegacyRanksWhileTheyTakeFrames() {
        Harness legacy = new Harness(2, 0, 2, "round_robin");
        legacy.request(0, info("a", 10));
        assertThat(legacy.controller.heldRequests()).as("nobody has connected").isEqualTo(1);
        legacy.out.connectRank(1, "bound");
        legacy.controller.onLegacyConnection(1, true, legacy.nowNs);
        assertThat(legacy.out.takeRank(1)).hasSize(1);
        legacy.out.fullRanks.add(1);
        legacy.request(0, info("b", 10));
        assertThat(legacy.controller.heldRequests()).isEqualTo(1);
        legacy.out.connectRank(0, "bound");
        legacy.controller.onLegacyConnection(0, true, legacy.nowNs);
        assertThat(legacy.out.takeRank(0)).hasSize(1);
        legacy.pass(60_000);
        assertThat(legacy.controller.view().isLive(0))
                .as("no heartbeat is expected of it")
                .isTrue();
    }
}
