package io.strandline.tests.mount;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.process.BrokerProcess;
import io.strandline.tests.process.ToolProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Two brokers, each a cluster with a store of its own; the second knows the first one's store. */
final class TwoClusters implements AutoCloseable {
  private static final Duration LIMIT = Duration.ofSeconds(90);
  private static final String PADDING = "x".repeat(2_000);

  /** A condition that may fail while what it asks is away. */
  interface Condition {
    boolean met() throws Exception;
  }

  final Path dir;
  final Path theirObjects;
  final Path ourObjects;
  final BrokerProcess there;
  final BrokerProcess here;

  TwoClusters(Path dir) throws IOException {
    this.dir = dir;
    this.theirObjects = dir.resolve("theirs");
    this.ourObjects = dir.resolve("ours");
    there = BrokerProcess.start(dir.resolve("there"), settings("file:" + theirObjects, ""));
    here =
        BrokerProcess.start(
            dir.resolve("here"), settings("file:" + ourObjects, "file:" + theirObjects));
  }

  /** Of a broker in a hurry. */
  static Map<String, String> settings(String store, String others) {
    return Map.of(
        "strandline.object.store", store,
        "strandline.mount.stores", others,
        "strandline.mount.refresh.ms", "200",
        "strandline.tier.check.ms", "100",
        "strandline.tier.gather.ms", "0",
        "strandline.tier.reclaim.ms", "500",
        "strandline.tier.grace.ms", "0",
        "log.cleaner.backoff.ms", "500",
        "strandline.metadata.backup.ms", "500",
        "offsets.topic.num.partitions", "1");
  }

  /** Runs a command of the tier's that must end well; gives its lines. */
  List<String> tier(String... arguments) throws IOException, InterruptedException {
    return run("tier", arguments);
  }

  /** Reads a topic's history without a broker; gives a line for each record. */
  List<String> replay(String... arguments) throws IOException, InterruptedException {
    return run("replay", arguments);
  }

  private List<String> run(String command, String... arguments)
      throws IOException, InterruptedException {
    List<String> all = new ArrayList<>(List.of(command));
    all.addAll(List.of(arguments));
    ToolProcess.Ended ended = ToolProcess.run(dir, Map.of(), all.toArray(String[]::new));
    assertThat(ended.exitCode()).as("%s%n%s%n%s", all, ended.out(), ended.err()).isZero();
    return ended.out();
  }

  static Admin admin(BrokerProcess at) {
    return Admin.create(Map.of("bootstrap.servers", at.bootstrap()));
  }

  static void create(BrokerProcess at, String topic, int partitions) throws Exception {
    try (Admin admin = admin(at)) {
      NewTopic fresh =
          new NewTopic(topic, Optional.of(partitions), Optional.empty())
              .configs(Map.of("segment.bytes", "1048576", "retention.ms", "-1"));
      admin.createTopics(List.of(fresh)).all().get(30, TimeUnit.SECONDS);
    }
  }

  static KafkaProducer<String, String> producer(BrokerProcess at) {
    return new KafkaProducer<>(
        Map.of("bootstrap.servers", at.bootstrap(), "linger.ms", "5"),
        new StringSerializer(),
        new StringSerializer());
  }

  /** Numbered records, the same ones to each partition, a second of timestamp apart. */
  static void produce(BrokerProcess at, String topic, int partitions, int from, int to) {
    try (KafkaProducer<String, String> producer = producer(at)) {
      for (int i = from; i < to; i++) {
        for (int p = 0; p < partitions; p++) {
          String value = topic + " " + i + " " + PADDING;
          var unused =
              producer.send(new ProducerRecord<>(topic, p, 1_000L * i, "k" + i % 10, value));
        }
      }
      producer.flush();
    }
  }

  static KafkaConsumer<String, String> consumer(BrokerProcess at, String group) {
    return new KafkaConsumer<>(
        Map.of(
            "bootstrap.servers", at.bootstrap(),
            "group.id", group,
            "auto.offset.reset", "earliest",
            "isolation.level", "read_committed",
            "enable.auto.commit", "false"),
        new StringDeserializer(),
        new StringDeserializer());
  }

  /** The number in each record from the offset to the end, by offset. */
  static TreeMap<Long, Integer> read(BrokerProcess at, TopicPartition from, long offset)
      throws Exception {
    long end = offset(at, from, OffsetSpec.latest());
    TreeMap<Long, Integer> found = new TreeMap<>();
    try (KafkaConsumer<String, String> consumer = consumer(at, "none")) {
      consumer.assign(List.of(from));
      consumer.seek(from, offset);
      until(
          "all of " + from + " up to " + end,
          () -> {
            for (ConsumerRecord<String, String> r : consumer.poll(Duration.ofMillis(200))) {
              assertThat(r.leaderEpoch()).hasValue(0);
              assertThat(r.timestamp()).isEqualTo(1_000L * number(r));
              found.put(r.offset(), number(r));
            }
            return consumer.position(from) >= end;
          });
    }
    return found;
  }

  static int number(ConsumerRecord<String, String> record) {
    return Integer.parseInt(record.value().split(" ")[1]);
  }

  static long offset(BrokerProcess at, TopicPartition partition, OffsetSpec spec) throws Exception {
    try (Admin admin = admin(at)) {
      return admin
          .listOffsets(Map.of(partition, spec))
          .partitionResult(partition)
          .get(30, TimeUnit.SECONDS)
          .offset();
    }
  }

  /**
   * Every file below with its length and time, and every directory's: they tell of what came and
   * went.
   */
  static Map<String, String> files(Path root) throws IOException {
    Map<String, String> files = new TreeMap<>();
    try (Stream<Path> all = Files.walk(root)) {
      for (Path path : all.toList()) {
        String state =
            Files.isDirectory(path)
                ? "directory " + Files.getLastModifiedTime(path)
                : Files.size(path) + " " + Files.getLastModifiedTime(path);
        files.put(root.relativize(path).toString(), state);
      }
    }
    return files;
  }

  /** Looks until it is met; an exception of the last look is the cause of the failure. */
  static void until(String what, Condition condition) {
    long deadline = System.nanoTime() + LIMIT.toNanos();
    while (true) {
      Exception why = null;
      try {
        if (condition.met()) {
          return;
        }
      } catch (Exception e) {
        why = e;
      }
      if (System.nanoTime() > deadline) {
        throw new AssertionError("waited in vain for " + what, why);
      }
      LockSupport.parkNanos(50_000_000L);
    }
  }

  @Override
  public void close() throws IOException {
    here.close();
    there.close();
  }
}
