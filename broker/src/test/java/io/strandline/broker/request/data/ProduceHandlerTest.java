package io.strandline.broker.request.data;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.strandline.broker.guard.Guard;
import io.strandline.broker.request.ApiTable;
import io.strandline.broker.request.Dispatcher;
import io.strandline.broker.request.Reply;
import io.strandline.broker.transaction.PartitionVerification;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceDataCollection;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.BaseRecords;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.record.internal.UnalignedMemoryRecords;
import org.apache.kafka.common.requests.FetchResponse;
import org.apache.kafka.common.requests.ProduceRequest;
import org.apache.kafka.common.requests.ProduceResponse;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/** Produce requests: frames, timeouts, order, and the sequences of idempotent producers. */
class ProduceHandlerTest {
  private static final long PRODUCER = 77;

  @TempDir Path dir;

  private static MemoryRecords numbered(int sequence) {
    return MemoryRecords.withIdempotentRecords(
        Compression.NONE,
        PRODUCER,
        (short) 0,
        sequence,
        new SimpleRecord(System.currentTimeMillis(), new byte[10]));
  }

  private static ProduceRequest produce(BaseRecords records, int acks) {
    return produce(acks, records);
  }

  /**
   * @param records of partition 0, 1, …
   */
  private static ProduceRequest produce(int acks, BaseRecords... records) {
    List<PartitionProduceData> parts = new ArrayList<>();
    for (BaseRecords given : records) {
      parts.add(new PartitionProduceData().setIndex(parts.size()).setRecords(given));
    }
    TopicProduceDataCollection topics = new TopicProduceDataCollection();
    topics.add(new TopicProduceData().setTopicId(DataRig.TOPIC).setPartitionData(parts));
    return new ProduceRequest(
        new ProduceRequestData().setAcks((short) acks).setTimeoutMs(100).setTopicData(topics),
        (short) 13);
  }

  /** What the coordinator of transactions says. */
  private PartitionVerification.Verified verified = PartitionVerification.Verified.NOTHING;

  private CompletableFuture<Reply> send(DataRig rig, ProduceRequest body, AtomicInteger released) {
    return handler(rig, Guard.open())
        .handle(DataRig.request(ApiKeys.PRODUCE, body, released::incrementAndGet))
        .toCompletableFuture();
  }

  private ProduceHandler handler(DataRig rig, Guard guard) {
    return new ProduceHandler(
        rig.control,
        rig.partitions,
        guard,
        (asked, sequences) -> CompletableFuture.completedFuture(verified),
        rig.time);
  }

  private static Errors error(CompletableFuture<Reply> reply) {
    assertThat(reply).isDone();
    ProduceResponse response = (ProduceResponse) reply.join().response();
    return Errors.forCode(
        response.data().responses().iterator().next().partitionResponses().get(0).errorCode());
  }

  @Test
  void theFrameIsKeptUntilAllIsWrittenHoweverLongThatTakes() throws Exception {
    Queue<Runnable> writes = new ArrayDeque<>();
    DataRig rig = new DataRig(dir, writes::add);
    rig.lead(0);
    run(writes);
    // Two batches of which a step before them holds the owner: they wait in its mailbox.
    AtomicInteger released = new AtomicInteger();
    var unused = rig.partition(0).deleteRecords(0);
    for (int acks : new int[] {1, -1}) {
      released.set(0);
      CompletableFuture<Reply> reply = send(rig, produce(DataRig.records(10), acks), released);
      rig.time.pass(1_000);
      assertThat(reply).isNotDone();
      assertThat(released).hasValue(0);
      run(writes);
      assertThat(released).hasValue(1);
      assertThat(error(reply)).isEqualTo(Errors.NONE);
      unused = rig.partition(0).deleteRecords(0);
    }
    run(writes);
  }

  private static void run(Queue<Runnable> steps) {
    for (Runnable step = steps.poll(); step != null; step = steps.poll()) {
      step.run();
    }
  }

  @Test
  void aFetchThatWaitsFindsAllThatARequestWroteToSeveralPartitions() throws Exception {
    Queue<Runnable> writes = new ArrayDeque<>();
    DataRig rig = new DataRig(dir, writes::add);
    rig.lead(0, 1, 2);
    run(writes);
    // The first append of an epoch is the slow executor's, the next ones are the caller's own.
    for (int offset = 0; offset < 2; offset++) {
      CompletableFuture<Reply> parked =
          rig.fetch(new Ask().from(0, offset).from(1, offset).from(2, offset));
      assertThat(parked).isNotDone();
      ProduceRequest request =
          produce(1, DataRig.records(10), DataRig.records(10), DataRig.records(10));
      CompletableFuture<Reply> written = send(rig, request, new AtomicInteger());
      run(writes);
      assertThat(error(written)).isEqualTo(Errors.NONE);
      assertThat(DataRig.response(parked).data().responses().get(0).partitions())
          .allMatch(part -> FetchResponse.recordsSize(part) > 0)
          .hasSize(3);
    }
  }

  @Test
  void readersAreWokenThoughAPartOfTheRequestIsRefused() throws Exception {
    DataRig rig = new DataRig(dir);
    rig.lead(0, 1);
    MemoryRecords broken = DataRig.records(10);
    broken.buffer().put(22, (byte) 5);
    CompletableFuture<Reply> parked = rig.fetch(new Ask().from(0, 0).from(1, 0));
    var unused = send(rig, produce(1, DataRig.records(10), broken), new AtomicInteger());
    assertThat(parked).isDone();
  }

  @Test
  void nothingIsWrittenBeforeAllTopicsAreJudged() throws Exception {
    Queue<Runnable> writes = new ArrayDeque<>();
    DataRig rig = new DataRig(dir, writes::add);
    rig.lead(0);
    run(writes);
    Guard guard =
        (who, operation, type, name) -> {
          if (!name.equals(DataRig.NAME)) {
            throw new IllegalStateException("for the test");
          }
          return true;
        };
    TopicProduceDataCollection topics = new TopicProduceDataCollection();
    for (String name : List.of(DataRig.NAME, "second")) {
      PartitionProduceData part = new PartitionProduceData().setRecords(DataRig.records(10));
      topics.add(new TopicProduceData().setName(name).setPartitionData(List.of(part)));
    }
    ProduceRequest body =
        new ProduceRequest(
            new ProduceRequestData().setAcks((short) 1).setTopicData(topics), (short) 12);
    CompletableFuture<Reply> parked = rig.fetch(new Ask().from(0, 0));
    AtomicInteger released = new AtomicInteger();
    Dispatcher dispatcher =
        new Dispatcher(ApiTable.builder().add(ApiKeys.PRODUCE, handler(rig, guard)).build());
    CompletableFuture<Reply> refused =
        dispatcher
            .dispatch(DataRig.request(ApiKeys.PRODUCE, body, released::incrementAndGet))
            .toCompletableFuture();
    assertThat(error(refused)).isEqualTo(Errors.UNKNOWN_SERVER_ERROR);
    assertThat(released).hasValue(1);
    run(writes);
    assertThat(rig.partition(0).logEndOffset()).as("its frame is gone").isZero();
    CompletableFuture<Reply> written =
        send(rig, produce(DataRig.records(10), 1), new AtomicInteger());
    run(writes);
    assertThat(error(written)).isEqualTo(Errors.NONE);
    assertThat(parked).isDone();
  }

  @Test
  void acknowledgementsThatDoNotComeTimeOut() throws Exception {
    DataRig rig = new DataRig(dir);
    rig.leadWithFollower(0);
    AtomicInteger released = new AtomicInteger();
    CompletableFuture<Reply> reply = send(rig, produce(DataRig.records(10), -1), released);
    assertThat(released).hasValue(1);
    rig.time.pass(99);
    assertThat(reply).isNotDone();
    rig.time.pass(1);
    assertThat(error(reply)).isEqualTo(Errors.REQUEST_TIMED_OUT);
  }

  @Test
  void anUnknownCodecIsRefusedAndThePartitionLivesOn() throws Exception {
    DataRig rig = new DataRig(dir);
    rig.lead(0);
    MemoryRecords records = DataRig.records(10);
    records.buffer().put(22, (byte) 5);
    CompletableFuture<Reply> refused = send(rig, produce(records, -1), new AtomicInteger());
    assertThat(error(refused)).isNotEqualTo(Errors.NONE);
    assertThat(error(send(rig, produce(DataRig.records(10), -1), new AtomicInteger())))
        .isEqualTo(Errors.NONE);
  }

  @Test
  void onlyAFailureThatClientsHaveNoCodeForIsToldInTheLog() throws Exception {
    DataRig rig = new DataRig(dir);
    rig.lead(0);
    Logger logger = (Logger) LoggerFactory.getLogger(ProduceHandler.class);
    ListAppender<ILoggingEvent> lines = new ListAppender<>();
    lines.start();
    logger.addAppender(lines);
    try {
      MemoryRecords ofTomorrow =
          MemoryRecords.withRecords(
              Compression.NONE, new SimpleRecord(Long.MAX_VALUE / 2, new byte[10]));
      assertThat(error(send(rig, produce(ofTomorrow, -1), new AtomicInteger())))
          .isEqualTo(Errors.INVALID_TIMESTAMP);
      assertThat(lines.list).isEmpty();
      BaseRecords noneOfOurs = new UnalignedMemoryRecords(ByteBuffer.allocate(10));
      assertThat(error(send(rig, produce(noneOfOurs, -1), new AtomicInteger())))
          .isEqualTo(Errors.UNKNOWN_SERVER_ERROR);
      assertThat(lines.list).hasSize(1);
      assertThat(lines.list.get(0).getLevel()).isEqualTo(Level.ERROR);
      assertThat(lines.list.get(0).getThrowableProxy()).isNotNull();
    } finally {
      logger.detachAppender(lines);
    }
  }

  @Test
  void ofAPipelineThatMeetsAChangeOfLeadersNoneOvertakesAnother() throws Exception {
    DataRig rig = new DataRig(dir);
    rig.lead(0);
    rig.follow(0);
    CompletableFuture<Reply> first = send(rig, produce(numbered(0), -1), new AtomicInteger());
    assertThat(error(first)).isEqualTo(Errors.NOT_LEADER_OR_FOLLOWER);
    rig.lead(0);
    // Sent before the producer knew of the first one's failure.
    CompletableFuture<Reply> second = send(rig, produce(numbered(1), -1), new AtomicInteger());
    assertThat(error(second)).isEqualTo(Errors.OUT_OF_ORDER_SEQUENCE_NUMBER);
    for (int sequence = 0; sequence < 3; sequence++) {
      assertThat(error(send(rig, produce(numbered(sequence), -1), new AtomicInteger())))
          .isEqualTo(Errors.NONE);
    }
  }
}
