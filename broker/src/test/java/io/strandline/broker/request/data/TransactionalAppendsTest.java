package io.strandline.broker.request.data;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.broker.guard.Guard;
import io.strandline.broker.request.Reply;
import io.strandline.broker.transaction.PartitionVerification.Verified;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceDataCollection;
import org.apache.kafka.common.message.ProduceResponseData.PartitionProduceResponse;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.requests.ProduceRequest;
import org.apache.kafka.common.requests.ProduceResponse;
import org.apache.kafka.storage.internals.log.VerificationGuard;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Produce in a transaction, with the coordinator's answers in the test's hand. */
class TransactionalAppendsTest {
  private static final long PRODUCER = 7;

  @TempDir Path dir;
  private final Queue<CompletableFuture<Verified>> answers = new ArrayDeque<>();

  private CompletableFuture<Reply> send(ProduceHandler handler, int sequence) {
    MemoryRecords records =
        MemoryRecords.withTransactionalRecords(
            Compression.NONE,
            PRODUCER,
            (short) 0,
            sequence,
            new SimpleRecord(System.currentTimeMillis(), new byte[10]));
    TopicProduceDataCollection topics = new TopicProduceDataCollection();
    topics.add(
        new TopicProduceData()
            .setTopicId(DataRig.TOPIC)
            .setPartitionData(List.of(new PartitionProduceData().setIndex(0).setRecords(records))));
    ProduceRequest body =
        new ProduceRequest(
            new ProduceRequestData()
                .setTransactionalId("id")
                .setAcks((short) -1)
                .setTimeoutMs(100)
                .setTopicData(topics),
            (short) 13);
    return handler.handle(DataRig.request(ApiKeys.PRODUCE, body, () -> {})).toCompletableFuture();
  }

  private ProduceHandler handler(DataRig rig) {
    return new ProduceHandler(
        rig.control,
        rig.partitions,
        Guard.open(),
        (asked, sequences) -> answers.remove(),
        rig.time);
  }

  private static PartitionProduceResponse answer(CompletableFuture<Reply> reply) {
    assertThat(reply).isDone();
    return ((ProduceResponse) reply.join().response())
        .data()
        .responses()
        .iterator()
        .next()
        .partitionResponses()
        .get(0);
  }

  @Test
  void aBatchThatNeedsNoAnswerDoesNotOvertakeOneThatWaitsForIt() throws Exception {
    DataRig rig = new DataRig(dir);
    rig.lead(0);
    TopicPartition tp = rig.partition(0).id().topicPartition();
    VerificationGuard guard = rig.partition(0).verify(PRODUCER, (short) 0, 0, true).join();
    CompletableFuture<Verified> first = new CompletableFuture<>();
    answers.add(first);
    answers.add(CompletableFuture.completedFuture(Verified.NOTHING));
    ProduceHandler handler = handler(rig);
    CompletableFuture<Reply> one = send(handler, 0);
    CompletableFuture<Reply> two = send(handler, 1);
    assertThat(one).isNotDone();
    assertThat(two).isNotDone();
    first.complete(new Verified(Map.of(tp, guard), Map.of()));
    assertThat(answer(one).errorCode()).isEqualTo(Errors.NONE.code());
    assertThat(answer(one).baseOffset()).isZero();
    assertThat(answer(two).errorCode()).isEqualTo(Errors.NONE.code());
    assertThat(answer(two).baseOffset()).isEqualTo(1);
  }

  @Test
  void whatTheCoordinatorRefusesIsNotWritten() throws Exception {
    DataRig rig = new DataRig(dir);
    rig.lead(0);
    TopicPartition tp = rig.partition(0).id().topicPartition();
    ProduceHandler handler = handler(rig);
    for (Errors[] error :
        new Errors[][] {
          {Errors.INVALID_PRODUCER_EPOCH, Errors.INVALID_PRODUCER_EPOCH},
          {Errors.CONCURRENT_TRANSACTIONS, Errors.CONCURRENT_TRANSACTIONS},
          {Errors.NOT_COORDINATOR, Errors.NOT_ENOUGH_REPLICAS},
          {Errors.COORDINATOR_LOAD_IN_PROGRESS, Errors.NOT_ENOUGH_REPLICAS}
        }) {
      answers.add(CompletableFuture.completedFuture(new Verified(Map.of(), Map.of(tp, error[0]))));
      assertThat(answer(send(handler, 0)).errorCode()).isEqualTo(error[1].code());
    }
    assertThat(rig.partition(0).logEndOffset()).isZero();
  }

  @Test
  void aVerificationThatFailsOutrightIsAnsweredAndHoldsUpNothing() throws Exception {
    DataRig rig = new DataRig(dir);
    rig.lead(0);
    TopicPartition tp = rig.partition(0).id().topicPartition();
    VerificationGuard guard = rig.partition(0).verify(PRODUCER, (short) 0, 0, true).join();
    ProduceHandler handler = handler(rig);
    assertThat(answer(send(handler, 0)).errorCode())
        .isEqualTo(Errors.UNKNOWN_SERVER_ERROR.code()); // the rig has no answer, and throws
    answers.add(CompletableFuture.completedFuture(new Verified(Map.of(tp, guard), Map.of())));
    assertThat(answer(send(handler, 0)).errorCode()).isEqualTo(Errors.NONE.code());
  }
}
