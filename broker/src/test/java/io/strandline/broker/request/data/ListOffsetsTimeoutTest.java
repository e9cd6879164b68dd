package io.strandline.broker.request.data;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.broker.request.Reply;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsPartition;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsTopic;
import org.apache.kafka.common.message.ListOffsetsResponseData.ListOffsetsPartitionResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ListOffsetsRequest;
import org.apache.kafka.common.requests.ListOffsetsResponse;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How long a look-up by time may take: what the client says, else what the broker is set to. */
class ListOffsetsTimeoutTest {
  private static final long SET_MS = 7_000;

  @TempDir Path dir;

  private static ListOffsetsRequest byTime(int version, int timeoutMs) {
    return ListOffsetsRequest.Builder.forConsumer(true, IsolationLevel.READ_UNCOMMITTED)
        .setTimeoutMs(timeoutMs)
        .setTargetTimes(
            List.of(
                new ListOffsetsTopic()
                    .setName(DataRig.NAME)
                    .setPartitions(
                        List.of(new ListOffsetsPartition().setPartitionIndex(0).setTimestamp(5)))))
        .build((short) version);
  }

  private static ListOffsetsPartitionResponse answer(CompletableFuture<Reply> reply) {
    ListOffsetsResponse response = (ListOffsetsResponse) reply.join().response();
    assertThat(response).isNotNull();
    return response.data().topics().get(0).partitions().get(0);
  }

  private void timesOutAfter(long ms, ListOffsetsRequest request) throws Exception {
    DataRig rig = new DataRig(dir);
    rig.lead(0);
    rig.holdReads = true;
    OffsetHandlers handlers =
        new OffsetHandlers(
            new Sources(rig.partitions, Optional.empty(), rig.replays),
            io.strandline.broker.guard.Guard.open(),
            () -> SET_MS,
            rig.time);
    CompletableFuture<Reply> reply =
        handlers.list(DataRig.request(ApiKeys.LIST_OFFSETS, request)).toCompletableFuture();
    rig.time.pass(ms - 1);
    assertThat(reply).as("held, and no thread with it").isNotDone();
    rig.time.pass(1);
    assertThat(answer(reply).errorCode()).isEqualTo(Errors.REQUEST_TIMED_OUT.code());
  }

  @Test
  void aClientThatSaysNoneGetsTheBrokers() throws Exception {
    timesOutAfter(SET_MS, byTime(9, 0));
  }

  @Test
  void aClientThatSaysGetsItsOwn() throws Exception {
    timesOutAfter(2_000, byTime(10, 2_000));
  }

  @Test
  void anAnswerInTimeEndsTheWait() throws Exception {
    DataRig rig = new DataRig(dir);
    rig.lead(0);
    rig.holdReads = true;
    OffsetHandlers handlers =
        new OffsetHandlers(
            new Sources(rig.partitions, Optional.empty(), rig.replays),
            io.strandline.broker.guard.Guard.open(),
            () -> SET_MS,
            rig.time);
    long before = rig.time.armed();
    CompletableFuture<Reply> reply =
        handlers.list(DataRig.request(ApiKeys.LIST_OFFSETS, byTime(9, 0))).toCompletableFuture();
    rig.holdReads = false;
    while (!rig.heldReads.isEmpty()) {
      rig.heldReads.remove().run();
    }
    assertThat(answer(reply).errorCode()).isEqualTo(Errors.NONE.code());
    assertThat(rig.time.armed()).isEqualTo(before);
  }

  @Test
  void aFollowerAnswersThoseWhoLookForFaultsAlone() throws Exception {
    DataRig rig = new DataRig(dir);
    rig.leadWithFollower(0);
    rig.append(0, 10); // the other replica has not fetched it: above the high watermark
    rig.follow(0);
    OffsetHandlers handlers =
        new OffsetHandlers(
            new Sources(rig.partitions, Optional.empty(), rig.replays),
            io.strandline.broker.guard.Guard.open(),
            () -> SET_MS,
            rig.time);
    assertThat(answer(latest(handlers, ListOffsetsRequest.DEBUGGING_REPLICA_ID)).offset())
        .isEqualTo(1);
    for (int replica : new int[] {ListOffsetsRequest.CONSUMER_REPLICA_ID, 2}) {
      assertThat(answer(latest(handlers, replica)).errorCode())
          .isEqualTo(Errors.NOT_LEADER_OR_FOLLOWER.code());
    }
  }

  private static CompletableFuture<Reply> latest(OffsetHandlers handlers, int replica) {
    ListOffsetsRequest request =
        ListOffsetsRequest.Builder.forReplica((short) 9, replica)
            .setTargetTimes(
                List.of(
                    new ListOffsetsTopic()
                        .setName(DataRig.NAME)
                        .setPartitions(
                            List.of(
                                new ListOffsetsPartition()
                                    .setPartitionIndex(0)
                                    .setTimestamp(ListOffsetsRequest.LATEST_TIMESTAMP)))))
            .build((short) 9);
    return handlers.list(DataRig.request(ApiKeys.LIST_OFFSETS, request)).toCompletableFuture();
  }
}
