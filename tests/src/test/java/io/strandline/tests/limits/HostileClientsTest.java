package io.strandline.tests.limits;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.UnixOperatingSystemMXBean;
import io.strandline.tests.process.BrokerProcess;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.errors.PolicyViolationException;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.types.RawTaggedField;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.requests.ApiVersionsRequest;
import org.apache.kafka.common.requests.FetchRequest;
import org.apache.kafka.common.requests.MetadataRequest;
import org.apache.kafka.common.requests.MetadataResponse;
import org.apache.kafka.common.requests.OffsetCommitRequest;
import org.apache.kafka.common.requests.OffsetCommitResponse;
import org.apache.kafka.common.requests.ProduceRequest;
import org.apache.kafka.common.requests.ProduceResponse;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A broker with default limits and 512 MiB of heap, in a process of its own, and clients that mean
 * it harm or are many. After each the broker serves a well-behaved client, and the most memory it
 * ever had is within a budget.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class HostileClientsTest {
  /** The heap, and what a JVM with Netty and its threads needs beside it. */
  private static final long BUDGET_MIB = 512 + 384;

  /** What both processes have open beside connections. */
  private static final int SPARE_FILES = 1_000;

  private static final int MANY = Integer.getInteger("limits.many", 10_000);

  /** Their answers would take more than twice what all answers may. */
  private static final int DEAF = Integer.getInteger("limits.deaf", 40);

  private BrokerProcess broker;
  private KafkaProducer<byte[], byte[]> producer;

  @BeforeAll
  void start(@TempDir Path dir) throws Exception {
    broker =
        BrokerProcess.start(
            dir.resolve("broker"),
            Map.of("strandline.object.store", "file:" + dir.resolve("objects")));
    producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", broker.bootstrap()),
            new ByteArraySerializer(),
            new ByteArraySerializer());
    create("good", 1, Map.of());
  }

  @AfterAll
  void stop() throws IOException {
    producer.close(Duration.ZERO);
    broker.close();
  }

  @AfterEach
  void theBrokerIsWell(TestInfo test) throws Exception {
    producer.send(new ProducerRecord<>("good", new byte[1000])).get(30, TimeUnit.SECONDS);
    long peakMib = broker.peakResidentKb() >> 10;
    System.out.printf("%s: %d MiB at most%n", test.getDisplayName(), peakMib);
    assertThat(broker.output()).doesNotContain("OutOfMemoryError");
    assertThat(peakMib).isLessThan(BUDGET_MIB);
  }

  @Test
  @Order(1)
  void requestsThatClaimTwoGigabytes() throws Exception {
    for (int i = 0; i < 100; i++) {
      try (Stranger stranger = new Stranger(broker.bootstrap())) {
        stranger.send(ByteBuffer.allocate(5).putInt(Integer.MAX_VALUE).put((byte) 0).flip());
        stranger.awaitClosed();
      }
    }
  }

  @Test
  @Order(2)
  void framesDrippedByteByByte() throws Exception {
    List<Stranger> drippers = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      Stranger dripper = new Stranger(broker.bootstrap());
      dripper.send(ByteBuffer.allocate(4).putInt(90 << 20).flip());
      drippers.add(dripper);
    }
    for (int round = 0; round < 50; round++) {
      for (Stranger dripper : drippers) {
        dripper.send(ByteBuffer.allocate(1));
      }
    }
    theBrokerServes();
    drippers.forEach(Stranger::close);
  }

  @Test
  @Order(3)
  void manyIdleConnections() throws Exception {
    long beforeKb = broker.residentKb();
    List<Stranger> idle = new ArrayList<>();
    int connections = Math.min(MANY, openFilesMax() - SPARE_FILES);
    try {
      for (int i = 0; i < connections; i++) {
        Stranger stranger = new Stranger(broker.bootstrap());
        idle.add(stranger);
        if (i % 10 == 0) {
          stranger.ask(new ApiVersionsRequest(new ApiVersionsRequestData(), (short) 0));
        }
      }
      await("all to be open", () -> broker.metric("strandline_socket_connections") >= connections);
      theBrokerServes();
      assertThat((broker.residentKb() - beforeKb) / connections).as("kB for each").isLessThan(32);
    } finally {
      idle.forEach(Stranger::close);
    }
    await("all to be gone", () -> broker.metric("strandline_socket_connections") < 100);
  }

  /** Of this process, and of the broker, which inherits it: a machine may allow fewer than many. */
  private static int openFilesMax() {
    var system = (UnixOperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    return (int) Math.min(Integer.MAX_VALUE, system.getMaxFileDescriptorCount());
  }

  @Test
  @Order(4)
  void aBatchThatUnpacksToMuchMore() throws Exception {
    create("table", 1, Map.of("cleanup.policy", "compact"));
    MemoryRecords bomb = bomb(400);
    assertThat(bomb.sizeInBytes()).isLessThan(1 << 20);
    for (int i = 0; i < 5; i++) {
      assertThat(produce("table", bomb)).isEqualTo(Errors.INVALID_RECORD);
    }
  }

  /** So many megabytes of nothing. */
  private static MemoryRecords bomb(int megabytes) {
    MemoryRecordsBuilder records =
        MemoryRecords.builder(
            ByteBuffer.allocate(1 << 20),
            RecordBatch.CURRENT_MAGIC_VALUE,
            Compression.zstd().build(),
            TimestampType.CREATE_TIME,
            0);
    byte[] nothing = new byte[1 << 20];
    for (int i = 0; i < megabytes; i++) {
      records.append(1, new byte[] {1}, nothing);
    }
    return records.build();
  }

  private Errors produce(String topic, MemoryRecords records) throws IOException {
    ProduceRequestData data = new ProduceRequestData().setAcks((short) -1).setTimeoutMs(10_000);
    var partition = new ProduceRequestData.PartitionProduceData().setRecords(records);
    data.topicData()
        .add(
            new ProduceRequestData.TopicProduceData()
                .setName(topic)
                .setPartitionData(List.of(partition)));
    try (Stranger stranger = new Stranger(broker.bootstrap())) {
      ProduceResponse response =
          (ProduceResponse) stranger.ask(new ProduceRequest(data, (short) 12));
      return Errors.forCode(
          response.data().responses().iterator().next().partitionResponses().get(0).errorCode());
    }
  }

  @Test
  @Order(5)
  void manyGroups() throws Exception {
    long beforeKb = broker.residentKb();
    try (Stranger stranger = new Stranger(broker.bootstrap());
        Admin admin = admin()) {
      var first = Map.of(new TopicPartition("good", 0), new OffsetAndMetadata(1));
      admin.alterConsumerGroupOffsets("group-0", first).all().get(60, TimeUnit.SECONDS);
      for (int i = 1; i < MANY; i++) {
        OffsetCommitRequest commit = commit("group-" + i);
        await(
            "the coordinator",
            () -> {
              OffsetCommitResponse answer = (OffsetCommitResponse) stranger.ask(commit);
              return answer.errorCounts().keySet().equals(Set.of(Errors.NONE));
            });
      }
      assertThat(admin.listGroups().all().get(30, TimeUnit.SECONDS)).hasSize(MANY);
    }
    assertThat((broker.residentKb() - beforeKb) / MANY).as("kB for each").isLessThan(32);
  }

  private static OffsetCommitRequest commit(String group) {
    var partition =
        new OffsetCommitRequestData.OffsetCommitRequestPartition()
            .setPartitionIndex(0)
            .setCommittedOffset(1);
    var topic =
        new OffsetCommitRequestData.OffsetCommitRequestTopic()
            .setName("good")
            .setPartitions(List.of(partition));
    return new OffsetCommitRequest(
        new OffsetCommitRequestData().setGroupId(group).setTopics(List.of(topic)), (short) 8);
  }

  @Test
  @Order(6)
  void slowReaders() throws Exception {
    create("history", 1, Map.of("segment.bytes", "1048576", "local.retention.bytes", "1"));
    for (int i = 0; i < 400; i++) {
      var unused = producer.send(new ProducerRecord<>("history", 0, null, noise(i)));
    }
    producer.flush();
    await("history", () -> broker.metric("strandline_tiering_released_bytes_total") > 30 << 20);
    List<Stranger> slow = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      Stranger reader = new Stranger(broker.bootstrap());
      reader.send(Stranger.frame(fetch("history"), 0));
      slow.add(reader);
    }
    AtomicBoolean over = new AtomicBoolean();
    CompletableFuture<Void> sipping = CompletableFuture.runAsync(() -> sip(slow, over));
    try {
      theBrokerServes();
      readFromTheBeginning("history", 400);
    } finally {
      over.set(true);
      sipping.join();
    }
    slow.forEach(Stranger::close);
  }

  /** None of them ever stops to read, nor gets on. */
  private static void sip(List<Stranger> slow, AtomicBoolean over) {
    while (!over.get()) {
      for (Stranger reader : slow) {
        try {
          reader.sip();
        } catch (IOException closed) {
          // which it may be for being slow
        }
      }
      LockSupport.parkNanos(20_000_000L);
    }
  }

  private void readFromTheBeginning(String topic, int records) throws IOException {
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            Map.of("bootstrap.servers", broker.bootstrap(), "auto.offset.reset", "earliest"),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer())) {
      consumer.assign(List.of(new TopicPartition(topic, 0)));
      int[] read = {0};
      await(
          "all of " + topic,
          () -> (read[0] += consumer.poll(Duration.ofMillis(100)).count()) == records);
    }
  }

  private static byte[] noise(int seed) {
    byte[] bytes = new byte[100_000];
    new java.util.Random(seed).nextBytes(bytes);
    return bytes;
  }

  private static FetchRequest fetch(String topic) {
    var partition =
        new FetchRequestData.FetchPartition()
            .setPartition(0)
            .setFetchOffset(0)
            .setPartitionMaxBytes(50 << 20);
    var of = new FetchRequestData.FetchTopic().setTopic(topic).setPartitions(List.of(partition));
    FetchRequestData data = new FetchRequestData().setMaxBytes(50 << 20).setMaxWaitMs(10_000);
    return new FetchRequest(data.setMinBytes(1).setTopics(List.of(of)), (short) 12);
  }

  @Test
  @Order(7)
  void aTopicOfManyPartitionsAndClientsThatNeverReadWhatItIs() throws Exception {
    assertThatThrownBy(() -> create("too-wide", 10_001, Map.of()))
        .hasCauseInstanceOf(PolicyViolationException.class);
    create("wide", MANY / 2, Map.of()); // as many as the controller makes at once
    try (Admin admin = admin()) {
      admin.createPartitions(Map.of("wide", NewPartitions.increaseTo(MANY))).all().get();
    }
    MetadataRequest metadata = metadata("wide");
    try (Stranger stranger = new Stranger(broker.bootstrap())) {
      await(
          "all partitions",
          () ->
              ((MetadataResponse) stranger.ask(metadata))
                      .topicMetadata()
                      .iterator()
                      .next()
                      .partitionMetadata()
                      .size()
                  == MANY);
    }
    double unsaid = unsaid();
    List<Stranger> deaf = new ArrayList<>();
    for (int i = 0; i < DEAF; i++) {
      Stranger each = new Stranger(broker.bootstrap());
      for (int n = 0; n < 10 && each.offer(Stranger.frame(metadata, n)); n++) {
        // on and on
      }
      deaf.add(each);
    }
    await(
        "some to be closed",
        () -> broker.output().contains("take too much memory") || unsaid() > unsaid);
    theBrokerServes();
    deaf.forEach(Stranger::close);
  }

  /** Connections that were closed without a line, as many had been just before. */
  private double unsaid() throws IOException {
    return broker.metric("strandline_socket_refusals_unsaid_total");
  }

  private static MetadataRequest metadata(String topic) {
    MetadataRequestData data = new MetadataRequestData().setAllowAutoTopicCreation(false);
    data.setTopics(List.of(new MetadataRequestData.MetadataRequestTopic().setName(topic)));
    return new MetadataRequest(data, (short) 12);
  }

  /** All together longer than the heap; who asked does not stay for the answer. */
  @Test
  @Order(8)
  void longRequestsThatWaitForWeeks() throws Exception {
    create("quiet", 1, Map.of());
    FetchRequest fetch = fetch("quiet");
    fetch.data().setMaxWaitMs(Integer.MAX_VALUE);
    fetch.data().unknownTaggedFields().add(new RawTaggedField(9_999, new byte[1 << 20]));
    for (int round = 0; round < 6; round++) {
      List<Stranger> waiting = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        Stranger each = new Stranger(broker.bootstrap());
        each.send(Stranger.frame(fetch, 0));
        waiting.add(each);
      }
      await(
          "none to hold its frame",
          () -> broker.metric("strandline_socket_requests_used_bytes") < 1 << 20);
      waiting.forEach(Stranger::close);
    }
    theBrokerServes();
    await("all to be gone", () -> broker.metric("strandline_socket_connections") < 100);
  }

  /** A client that keeps to the rules writes and reads. */
  private void theBrokerServes() throws Exception {
    Map<String, Object> settings = new HashMap<>();
    settings.put("bootstrap.servers", broker.bootstrap());
    settings.put("auto.offset.reset", "earliest");
    long offset =
        producer.send(new ProducerRecord<>("good", new byte[1])).get(60, TimeUnit.SECONDS).offset();
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      TopicPartition good = new TopicPartition("good", 0);
      consumer.assign(List.of(good));
      consumer.seek(good, offset);
      await("what was written", () -> !consumer.poll(Duration.ofMillis(100)).isEmpty());
    }
  }

  private Admin admin() {
    return Admin.create(Map.of("bootstrap.servers", broker.bootstrap()));
  }

  private void create(String name, int partitions, Map<String, String> configs) throws Exception {
    try (Admin admin = admin()) {
      NewTopic topic = new NewTopic(name, Optional.of(partitions), Optional.empty());
      admin.createTopics(List.of(topic.configs(configs))).all().get(2, TimeUnit.MINUTES);
    }
  }

  /** May fail. */
  private interface Condition {
    boolean holds() throws IOException;
  }

  private static void await(String what, Condition condition) throws IOException {
    long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(2);
    while (!condition.holds()) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("waited in vain for " + what);
      }
      LockSupport.parkNanos(20_000_000L);
    }
  }
}
