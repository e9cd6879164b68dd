package io.strandline.tests.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The main job on real input: 200 MB of real bytes go in line by line and compressed, segments are
 * tiered and local copies released, the broker is killed in the middle, and everything is read back
 * from offset 0 out of the object store by two clients. Subclasses say which store. Crash model:
 * process.
 */
abstract class HistoryRoundTrip {
  private static final int PARTITIONS = 4;
  private static final String TOPIC = "history";

  @TempDir Path dir;

  /**
   * How much goes through.
   *
   * @param bytes of lines, before compression
   * @param segmentBytes at least 1 MiB
   */
  record Scale(long bytes, int segmentBytes, int localRetentionBytes) {
    /** Of these many bytes unless the system property {@code roundtrip.bytes} says otherwise. */
    static Scale of(long bytes, int segmentBytes, int localRetentionBytes) {
      return new Scale(Long.getLong("roundtrip.bytes", bytes), segmentBytes, localRetentionBytes);
    }
  }

  Scale scale() {
    return Scale.of(210L << 20, 4 << 20, 4 << 20);
  }

  /** What the broker's process needs in its environment to use the store. */
  Map<String, String> environment() throws IOException {
    return Map.of();
  }

  /** Looks at what the broker has left in the store, when it is gone. */
  void audit() throws Exception {}

  /** Settings that name the store; it outlives the broker. */
  abstract Map<String, String> store() throws IOException;

  @Test
  @Timeout(value = 10, unit = TimeUnit.MINUTES)
  void everythingComesBackFromTheObjectStoreAfterAKill() throws Exception {
    try (BrokerProcess broker =
        BrokerProcess.start(dir.resolve("broker"), settings(), environment())) {
      createTopic(broker);
      List<String> written = produceWithAKillInTheMiddle(broker);
      awaitRelease(broker);
      assertThat(localBytes(broker)).as("bytes left on local disk").isLessThan(scale().bytes() / 4);
      assertThat(broker.stop()).as("exit code of an orderly stop").isZero();
      broker.startAgain();
      assertThat(PlainReader.read(broker.bootstrap(), TOPIC))
          .as("client of today")
          .isEqualTo(written);
      assertThat(oldClient(broker)).as("client 2.8").isEqualTo(written);
      if (Kcat.onPath()) {
        assertThat(Kcat.read(broker.bootstrap(), TOPIC, PARTITIONS))
            .as("librdkafka")
            .isEqualTo(written);
      }
    }
    audit();
  }

  private Map<String, String> settings() throws IOException {
    Map<String, String> settings = new HashMap<>(store());
    settings.put("log.retention.check.interval.ms", "500");
    settings.put("log.segment.delete.delay.ms", "500");
    return settings;
  }

  private void createTopic(BrokerProcess broker) throws Exception {
    try (Admin admin = admin(broker)) {
      NewTopic topic = new NewTopic(TOPIC, Optional.of(PARTITIONS), Optional.of((short) 1));
      topic.configs(
          Map.of(
              "segment.bytes", String.valueOf(scale().segmentBytes()),
              "local.retention.bytes", String.valueOf(scale().localRetentionBytes())));
      admin.createTopics(List.of(topic)).all().get(30, TimeUnit.SECONDS);
    }
  }

  /**
   * Digests per partition of what was written; the broker dies once while batches are in flight.
   */
  private List<String> produceWithAKillInTheMiddle(BrokerProcess broker) throws Exception {
    long bytes = scale().bytes();
    List<LineDigest> digests = Stream.generate(LineDigest::new).limit(PARTITIONS).toList();
    AtomicReference<@Nullable Exception> failure = new AtomicReference<>();
    AtomicReference<@Nullable Thread> restart = new AtomicReference<>();
    long[] sent = {0, 0};
    try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(producerProperties(broker))) {
      Corpus.lines(
          bytes,
          line -> {
            int partition = (int) (sent[0]++ % PARTITIONS);
            sent[1] += line.length;
            digests.get(partition).add(line);
            var unused =
                producer.send(
                    new ProducerRecord<>(TOPIC, partition, null, line),
                    (m, e) -> failure.compareAndSet(null, e));
            if (sent[1] > bytes / 2 && restart.get() == null) {
              restart.set(killAndStartAgain(broker, failure));
            }
            return failure.get() == null;
          });
      producer.flush();
    }
    Thread restarted = restart.get();
    assertThat(restarted).isNotNull();
    restarted.join();
    assertThat(failure.get()).isNull();
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < PARTITIONS; i++) {
      lines.add(i + " " + digests.get(i).finish());
    }
    return lines;
  }

  private static Thread killAndStartAgain(
      BrokerProcess broker, AtomicReference<@Nullable Exception> failure) {
    Thread thread =
        new Thread(
            () -> {
              try {
                broker.kill();
                broker.startAgain();
              } catch (IOException e) {
                failure.compareAndSet(null, e);
              }
            },
            "restart");
    thread.start();
    return thread;
  }

  /**
   * Waits until every partition serves from the tier all but its last segments: the active one and
   * what local retention keeps, which together may be three parts in eight of these short logs.
   */
  private static void awaitRelease(BrokerProcess broker) throws Exception {
    try (Admin admin = admin(broker)) {
      await(
          Duration.ofMinutes(3),
          () -> {
            Map<TopicPartition, Long> local = offsets(admin, OffsetSpec.earliestLocal());
            Map<TopicPartition, Long> end = offsets(admin, OffsetSpec.latest());
            return local.entrySet().stream()
                .allMatch(e -> e.getValue() * 10 > end.get(e.getKey()) * 6);
          });
      assertThat(offsets(admin, OffsetSpec.earliest()).values()).containsOnly(0L);
    }
  }

  private static Map<TopicPartition, Long> offsets(Admin admin, OffsetSpec spec) {
    Map<TopicPartition, OffsetSpec> asked = new HashMap<>();
    for (int i = 0; i < PARTITIONS; i++) {
      asked.put(new TopicPartition(TOPIC, i), spec);
    }
    try {
      Map<TopicPartition, Long> offsets = new HashMap<>();
      for (Map.Entry<TopicPartition, ListOffsetsResultInfo> e :
          admin.listOffsets(asked).all().get(30, TimeUnit.SECONDS).entrySet()) {
        offsets.put(e.getKey(), e.getValue().offset());
      }
      return offsets;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  private static void await(Duration limit, BooleanSupplier condition) {
    long deadline = System.nanoTime() + limit.toNanos();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("gave up after " + limit).isLessThan(deadline);
      java.util.concurrent.locks.LockSupport.parkNanos(100_000_000L);
    }
  }

  private static long localBytes(BrokerProcess broker) throws IOException {
    try (Stream<Path> files = Files.walk(broker.dir().resolve("data"))) {
      return files
          .filter(f -> f.getFileName().toString().endsWith(".log"))
          .filter(f -> f.getParent().getFileName().toString().startsWith(TOPIC))
          .mapToLong(f -> f.toFile().length())
          .sum();
    }
  }

  private static List<String> oldClient(BrokerProcess broker)
      throws IOException, InterruptedException {
    String classPath = System.getProperty("java.class.path");
    String testClasses =
        Stream.of(classPath.split(java.io.File.pathSeparator))
            .filter(p -> p.endsWith("test-classes"))
            .findFirst()
            .orElseThrow();
    Process reader =
        new ProcessBuilder(
                Jvm.java(),
                "-cp",
                testClasses
                    + java.io.File.pathSeparator
                    + Path.of("target/old-client").toAbsolutePath()
                    + "/*",
                PlainReader.class.getName(),
                broker.bootstrap(),
                TOPIC)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    String out = new String(reader.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(reader.waitFor()).as("exit code of the old client").isZero();
    return out.lines().toList();
  }

  /** What the producer compresses with. */
  String compression() {
    return "zstd";
  }

  private Properties producerProperties(BrokerProcess broker) {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", broker.bootstrap());
    properties.put("key.serializer", ByteArraySerializer.class.getName());
    properties.put("value.serializer", ByteArraySerializer.class.getName());
    properties.put("compression.type", compression());
    properties.put("linger.ms", "20");
    properties.put("batch.size", String.valueOf(256 * 1024));
    properties.put("acks", "all");
    return properties;
  }

  private static Admin admin(BrokerProcess broker) {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", broker.bootstrap());
    return Admin.create(properties);
  }
}
