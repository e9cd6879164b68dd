package io.strandline.tests.restore;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.fault.Waiting;
import io.strandline.tests.process.BrokerProcess;
import io.strandline.tests.process.ToolProcess;
import io.strandline.tiering.segment.AbortedTransaction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsOptions;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.coordinator.common.runtime.CoordinatorRecord;
import org.apache.kafka.coordinator.group.GroupCoordinatorRecordHelpers;
import org.apache.kafka.coordinator.group.GroupCoordinatorRecordSerde;
import org.apache.kafka.coordinator.group.OffsetAndMetadata;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Transactions with records below the end of a tier and their marker above, where it is lost: they
 * have ended as they were decided, and hold nobody up. The tier is written here, because no client
 * decides where a tier is cut.
 */
@Timeout(value = 4, unit = TimeUnit.MINUTES)
class CutTransactionTest {
  private static final TopicPartition PAY = new TopicPartition("pay", 0);
  private static final TopicPartition OFFSETS = new TopicPartition("__consumer_offsets", 0);
  private static final long ABORTED = 5;
  private static final long COMMITTED = 6;
  private static final long CUT = 16;

  @TempDir Path dir;

  /** Ten plain records, three of an aborted transaction, two of a committed one, a plain one. */
  private static List<MemoryRecords> batches(int epoch) {
    return List.of(
        MemoryRecords.withRecords(0, Compression.NONE, epoch, some(10)),
        MemoryRecords.withTransactionalRecords(
            (byte) 2, 10, Compression.NONE, ABORTED, (short) 3, 0, epoch, some(3)),
        MemoryRecords.withTransactionalRecords(
            (byte) 2, 13, Compression.NONE, COMMITTED, (short) 3, 0, epoch, some(2)),
        MemoryRecords.withRecords(15, Compression.NONE, epoch, some(1)));
  }

  private static SimpleRecord[] some(int count) {
    SimpleRecord[] records = new SimpleRecord[count];
    for (int i = 0; i < count; i++) {
      records[i] = new SimpleRecord(System.currentTimeMillis(), utf8("k" + i), utf8("pay " + i));
    }
    return records;
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static CraftedTier.Content content(List<MemoryRecords> batches, long first, long second) {
    return new CraftedTier.Content(
        batches,
        List.of(new AbortedTransaction(ABORTED, first, 40, first)),
        CraftedTier.snapshot(Map.of(ABORTED, first, COMMITTED, second)));
  }

  @Test
  void inATopicRestoredFromAnotherClusterTheyEndWithIt() throws Exception {
    Path theirs = dir.resolve("theirs");
    try (CraftedTier tier = new CraftedTier(theirs, dir)) {
      tier.claim("their-cluster");
      TopicIdPartition there = new TopicIdPartition(Uuid.randomUuid(), PAY);
      tier.add(there, "their-cluster", 9, content(batches(9), 10, 13));
    }
    Map<String, String> settings = settings(dir.resolve("ours"));
    settings.put("strandline.mount.stores", "file:" + theirs);
    try (BrokerProcess broker = BrokerProcess.start(dir.resolve("broker"), settings)) {
      String at = broker.bootstrap();
      List<String> said = restore("--from", "file:" + theirs, "--topic", "pay", "--bootstrap", at);
      assertThat(said)
          .anyMatch(line -> line.contains("\"producer\":5") && line.contains("aborted"))
          .anyMatch(line -> line.contains("\"producer\":6") && line.contains("committed"));
      endedAsDecided(at, CUT + 1); // the other cluster's producers are not known here
      Clients.produce(at, "pay", 100, 110);
      assertThat(committedOffsets(at)).hasSize(13 + 10);
    }
  }

  @Test
  void inALogThatGoesOnAtItsTiersEndTheyEndThereAndSoInInternalTopics() throws Exception {
    Path objects = dir.resolve("objects");
    try (BrokerProcess broker = BrokerProcess.start(dir.resolve("broker"), settings(objects))) {
      String at = broker.bootstrap();
      Clients.create(at, "pay", 1, Map.of());
      Clients.produce(at, "pay", 0, 3);
      Clients.consume(at, "first", "pay", 1); // so that there is a topic of offsets
      Uuid pay = id(at, "pay");
      Uuid offsets = id(at, OFFSETS.topic());
      String cluster = cluster(at);
      broker.kill();
      try (CraftedTier tier = new CraftedTier(objects, dir)) {
        tier.add(new TopicIdPartition(pay, PAY), cluster, 0, content(batches(0), 10, 13));
        tier.add(new TopicIdPartition(offsets, OFFSETS), cluster, 0, content(commits(), 0, 1));
      }
      Clients.deleteTree(broker.dir().resolve("data").resolve("pay-0"));
      Clients.deleteTree(broker.dir().resolve("data").resolve("__consumer_offsets-0"));
      broker.startAgain();
      Clients.until("the lost logs", () -> broker.metric("strandline_partition_refilling") == 0);
      endedAsDecided(at, CUT + 2);
      assertThat(stable(at, OFFSETS)).isEqualTo(Clients.offset(at, OFFSETS.topic(), LATEST));
      assertThat(stableCommit(at, "aborted")).isEqualTo(-1);
      assertThat(stableCommit(at, "committed")).isEqualTo(14);
      broker.kill();
      broker.startAgain();
      endedAsDecided(at, CUT + 2);
    }
  }

  @Test
  void inAClusterRestoredFromItsBucketTheyEndAsTheReportSays() throws Exception {
    Path objects = dir.resolve("objects");
    Map<String, String> settings = settings(objects);
    settings.put("strandline.metadata.backup.ms", "500");
    Uuid pay;
    String cluster;
    try (BrokerProcess broker = BrokerProcess.start(dir.resolve("lost"), settings)) {
      String at = broker.bootstrap();
      Clients.create(at, "pay", 1, Map.of());
      pay = id(at, "pay");
      cluster = cluster(at);
      Clients.until(
          "a backup that knows the topic",
          () -> restoreCluster("--dry-run").stream().anyMatch(line -> line.startsWith("pay-0: ")));
      broker.kill();
    }
    try (CraftedTier tier = new CraftedTier(objects, dir)) {
      tier.add(new TopicIdPartition(pay, PAY), cluster, 3, content(batches(3), 10, 13));
    }
    Path data = dir.resolve("new").resolve("data");
    assertThat(restoreCluster("--dir", data.toString()))
        .contains("pay-0: offsets 0 to 15, goes on at 16")
        .contains("  transaction of producer 5 cut: aborted from offset 10, lost from offset 16")
        .contains("  transaction of producer 6 cut: committed from offset 13, lost from offset 16");
    try (BrokerProcess broker = BrokerProcess.start(dir.resolve("new"), settings)) {
      endedAsDecided(broker.bootstrap(), CUT + 2);
      Clients.produce(broker.bootstrap(), "pay", 100, 110);
      assertThat(committedOffsets(broker.bootstrap())).hasSize(13 + 10);
    }
  }

  private List<String> restoreCluster(String... options) throws Exception {
    List<String> all = new ArrayList<>(List.of("--store", "file:" + dir.resolve("objects")));
    all.addAll(List.of(options));
    return RestoreRun.run(dir, Map.of(), all.toArray(String[]::new));
  }

  private static final OffsetSpec LATEST = OffsetSpec.latest();

  /** Two groups' offsets, each in a transaction. */
  private static List<MemoryRecords> commits() {
    return List.of(commit(0, ABORTED, "aborted", 12), commit(1, COMMITTED, "committed", 14));
  }

  private static MemoryRecords commit(long at, long producer, String group, long offset) {
    OffsetAndMetadata committed =
        new OffsetAndMetadata(
            offset,
            OptionalInt.empty(),
            "",
            System.currentTimeMillis(),
            OptionalLong.empty(),
            Uuid.ZERO_UUID);
    CoordinatorRecord record =
        GroupCoordinatorRecordHelpers.newOffsetCommitRecord(group, "pay", 0, committed);
    GroupCoordinatorRecordSerde serde = new GroupCoordinatorRecordSerde();
    return MemoryRecords.withTransactionalRecords(
        (byte) 2,
        at,
        Compression.NONE,
        producer,
        (short) 3,
        0,
        0,
        new SimpleRecord(
            System.currentTimeMillis(), serde.serializeKey(record), serde.serializeValue(record)));
  }

  private static void endedAsDecided(String at, long end) throws Exception {
    Clients.until("the log", () -> Clients.offset(at, "pay", LATEST) == end);
    assertThat(stable(at, PAY)).as("last stable offset").isEqualTo(end);
    TreeSet<Long> seen = committedOffsets(at);
    assertThat(seen.headSet(CUT))
        .as("without the aborted 10 to 12")
        .containsExactly(0L, 1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L, 9L, 13L, 14L, 15L);
  }

  /** Offsets of all that a reader of committed records sees; it must get to the end. */
  private static TreeSet<Long> committedOffsets(String at) throws Exception {
    long end = Clients.offset(at, "pay", LATEST);
    TreeSet<Long> seen = new TreeSet<>();
    Map<String, Object> config =
        Map.of("bootstrap.servers", at, "isolation.level", "read_committed");
    try (KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer())) {
      consumer.assign(List.of(PAY));
      consumer.seek(PAY, 0);
      Waiting.polling(
          "all that is committed",
          () -> {
            for (ConsumerRecord<String, String> r : consumer.poll(Duration.ofMillis(100))) {
              assertThat(seen.isEmpty() || seen.last() < r.offset()).as("%s rises", r).isTrue();
              seen.add(r.offset());
            }
            return consumer.position(PAY) >= end;
          });
    }
    return seen;
  }

  private static long stable(String at, TopicPartition partition) throws Exception {
    try (Admin admin = Clients.admin(at)) {
      return admin
          .listOffsets(
              Map.of(partition, LATEST), new ListOffsetsOptions(IsolationLevel.READ_COMMITTED))
          .partitionResult(partition)
          .get(30, TimeUnit.SECONDS)
          .offset();
    }
  }

  /** -1 if there is none; a transaction that is open keeps this from being answered. */
  private static long stableCommit(String at, String group) throws Exception {
    try (Admin admin = Clients.admin(at)) {
      var found =
          admin
              .listConsumerGroupOffsets(
                  group, new ListConsumerGroupOffsetsOptions().requireStable(true))
              .partitionsToOffsetAndMetadata()
              .get(30, TimeUnit.SECONDS)
              .get(PAY);
      return found == null ? -1 : found.offset();
    }
  }

  private static Uuid id(String at, String topic) throws Exception {
    try (Admin admin = Clients.admin(at)) {
      return admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).topicId();
    }
  }

  private static String cluster(String at) throws Exception {
    try (Admin admin = Clients.admin(at)) {
      return admin.describeCluster().clusterId().get();
    }
  }

  private List<String> restore(String... arguments) throws Exception {
    List<String> all = new ArrayList<>(List.of("tier", "restore", "topic", "--json"));
    all.addAll(List.of(arguments));
    ToolProcess.Ended ended = ToolProcess.run(dir, Map.of(), all.toArray(String[]::new));
    assertThat(ended.exitCode()).as("%s%n%s", ended.out(), ended.err()).isZero();
    return ended.out();
  }

  private static Map<String, String> settings(Path objects) {
    Map<String, String> settings = new HashMap<>();
    settings.put("strandline.object.store", "file:" + objects);
    settings.put("strandline.internal.backup.ms", "0");
    settings.put("offsets.topic.num.partitions", "1");
    return settings;
  }
}
