package io.strandline.tests.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code strandline replay} as its users run it, while no broker is there: what comes out is what
 * went in, once, also when the job is killed and goes on. Crash model: process.
 */
class ReplayToolTest {
  private static final String TOPIC = "orders";
  private static final int PARTITIONS = 2;
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private Path dir;

  /** What was produced, by partition; a record's place in its list is its offset. */
  private final Map<Integer, List<String>> written = new TreeMap<>();

  @Test
  @Timeout(value = 5, unit = TimeUnit.MINUTES)
  void historyComesOutOfTheBucketWithNoBroker() throws Exception {
    Map<Integer, Long> ends;
    try (BrokerProcess broker =
        BrokerProcess.start(
            dir.resolve("broker"),
            Map.of("strandline.object.store", "file:" + dir.resolve("objects")))) {
      produce(broker);
      ends = awaitTiered(broker);
      assertThat(broker.stop()).isZero();

      assertThat(tool("replay", "--store", store(), "--json").out())
          .as("what can be replayed")
          .anySatisfy(
              line -> assertThat(line).contains("\"topic\":\"" + TOPIC + "\"").contains("\"id\""));
      costIsBytesAndRequestsTimesTheirPrices();
      killedAndResumed(ends);
      killedBeforeItsFirstMark(ends);
      whatCouldNotBeWrittenIsNotDone();
      aCheckpointServesTheJobItIsOfAndNoOther(ends);
      byOffsetAndPartition();
      whatARunLeftOutIsListedByTheNext();

      broker.startAgain();
      intoACluster(broker, ends);
    }
  }

  private String store() {
    return "file:" + dir.resolve("objects");
  }

  private ToolProcess.Ended tool(String... arguments) throws Exception {
    return ToolProcess.run(dir, Map.of(), arguments);
  }

  private void costIsBytesAndRequestsTimesTheirPrices() throws Exception {
    Path prices = dir.resolve("prices.properties");
    Files.writeString(
        prices, "gb.month=1000\nput.1000=10\nget.1000=2000\nlist.1000=20\negress.gb=50\n");
    ToolProcess.Ended cost =
        tool(
            "tier",
            "cost",
            "--store",
            store(),
            "--json",
            "--prices",
            prices.toString(),
            "--replays",
            "3");
    assertThat(cost.exitCode()).as(cost.err()).isZero();
    Map<String, JsonNode> lines = new TreeMap<>();
    for (String line : cost.out()) {
      JsonNode node = JSON.readTree(line);
      lines.put(node.path("what").asText("sum"), node);
    }
    double bytes = lines.get("segments").path("count").asDouble();
    assertThat(bytes).isGreaterThan(3_500_000);
    assertThat(lines.get("segments").path("month").asDouble())
        .isEqualTo(bytes / 1e9 * 1000, within(1e-4));
    long segments = segmentObjects();
    assertThat(segments).isGreaterThanOrEqualTo(2L * PARTITIONS);
    assertThat(bill(lines, "replays", 2)).as("a GET for each, three times").isEqualTo(3 * segments);
    assertThat(bill(lines, "writing", 0.01))
        .as("all of it within a day: an object and a version for each, thirty times")
        .isEqualTo(2 * 30 * segments);
    assertThat(bill(lines, "commits", 0.02)).isEqualTo(30 * segments);
    long partitions = (bill(lines, "scrub", 2) - segments) / 60;
    assertThat(bill(lines, "scrub", 2)).isEqualTo(60 * partitions + segments);
    assertThat(bill(lines, "sweep", 0.02)).isBetween(120 * partitions, 120 * partitions + 30);
    assertThat(bill(lines, "egress", 50 / 1e9)).isEqualTo(3 * (long) bytes);
    assertThat(bill(lines, "manifests", 1000 / 1e9)).isPositive();
    double sum = lines.values().stream().mapToDouble(line -> line.path("month").asDouble()).sum();
    assertThat(lines.get("sum").path("month").asDouble()).isEqualTo(sum / 2, within(1e-3));
    Files.writeString(prices, "gb.mont=1");
    assertThat(tool("tier", "cost", "--store", store(), "--prices", prices.toString()).err())
        .contains("gb.mont");
  }

  private static long bill(Map<String, JsonNode> lines, String what, double price) {
    long count = lines.get(what).path("count").asLong();
    assertThat(lines.get(what).path("month").asDouble())
        .as(what)
        .isEqualTo(count * price, within(price / 2 + 1e-3)); // counts are shown rounded
    return count;
  }

  private long segmentObjects() throws IOException {
    try (Stream<Path> files = Files.walk(dir.resolve("objects"))) {
      return files.filter(file -> file.getFileName().toString().contains(".seg")).count();
    }
  }

  private void killedAndResumed(Map<Integer, Long> ends) throws Exception {
    Path out = dir.resolve("out");
    Path checkpoint = dir.resolve("job.checkpoint");
    List<String> job = job(out, checkpoint, "PT0.1S");
    Process first = ToolProcess.start(dir, slowly(job));
    await(() -> some(checkpoint), "a first checkpoint");
    first.destroyForcibly().waitFor();
    assertThat(complete(checkpoint, ends)).as("killed too late to prove anything").isFalse();

    ToolProcess.Ended second = tool(job.toArray(String[]::new));
    assertThat(second.exitCode()).as(second.err()).isZero();
    assertWholeAndOnce(out, ends);
  }

  /** When files are there already, and the time to say how far they are has not come. */
  private void killedBeforeItsFirstMark(Map<Integer, Long> ends) throws Exception {
    Path out = dir.resolve("unmarked");
    List<String> job = job(out, dir.resolve("unmarked.checkpoint"), "PT1H");
    Process first = ToolProcess.start(dir, slowly(job));
    Path begun = out.resolve(TOPIC + "-0.jsonl");
    await(() -> begun.toFile().length() > 0, "something of the first partition");
    first.destroyForcibly().waitFor();

    ToolProcess.Ended second = tool(job.toArray(String[]::new));
    assertThat(second.exitCode()).as(second.err()).isZero();
    assertWholeAndOnce(out, ends);

    List<String> other = job(out, dir.resolve("other.checkpoint"), "PT1H");
    ToolProcess.Ended refused = tool(other.toArray(String[]::new));
    assertThat(refused.exitCode()).as("over another job's files").isEqualTo(1);
    assertThat(refused.err()).contains("is there already");
    assertWholeAndOnce(out, ends);
  }

  private List<String> job(Path out, Path checkpoint, String every) {
    return List.of(
        "replay",
        TOPIC,
        "--store",
        store(),
        "--out",
        out.toString(),
        "--checkpoint",
        checkpoint.toString(),
        "--checkpoint-every",
        every,
        "--parallelism",
        "1");
  }

  private static String[] slowly(List<String> job) {
    List<String> slow = new ArrayList<>(job);
    slow.addAll(List.of("--rate", "300K"));
    return slow.toArray(String[]::new);
  }

  private void assertWholeAndOnce(Path out, Map<Integer, Long> ends) throws IOException {
    for (int partition = 0; partition < PARTITIONS; partition++) {
      List<String> lines = Files.readAllLines(out.resolve(TOPIC + "-" + partition + ".jsonl"));
      long end = ends.get(partition);
      assertThat(lines).hasSize((int) end);
      for (int i = 0; i < lines.size(); i++) {
        JsonNode line = JSON.readTree(lines.get(i));
        assertThat(line.path("offset").asLong()).isEqualTo(i);
        assertThat(line.path("value").asText()).isEqualTo(written.get(partition).get(i));
        assertThat(line.path("key").asText()).isEqualTo("k" + i);
      }
    }
  }

  private void whatCouldNotBeWrittenIsNotDone() throws Exception {
    Path checkpoint = dir.resolve("full.checkpoint");
    String[] job = {"replay", TOPIC, "--store", store(), "--checkpoint", checkpoint.toString()};
    ToolProcess.Ended full = ToolProcess.runInto(dir, Path.of("/dev/full"), job);
    assertThat(full.exitCode()).as(full.err()).isEqualTo(1);
    assertThat(full.err()).contains("No space left on device").doesNotContain("done");
    assertThat(checkpoint).as("of a job that wrote nothing").doesNotExist();

    Process cut = ToolProcess.startRead(dir, "replay", TOPIC, "--store", store());
    try (BufferedReader out = cut.inputReader()) {
      assertThat(out.readLine()).contains("\"offset\":0,");
    }
    assertThat(cut.waitFor()).as("whose reader has gone").isEqualTo(1);
  }

  private void aCheckpointServesTheJobItIsOfAndNoOther(Map<Integer, Long> ends) throws Exception {
    Path checkpoint = dir.resolve("printed.checkpoint");
    List<String> job =
        List.of("replay", TOPIC, "--store", store(), "--checkpoint", checkpoint.toString());
    List<String> some = new ArrayList<>(job);
    some.addAll(List.of("--partition", "1", "--to", "20"));
    ToolProcess.Ended printed = tool(some.toArray(String[]::new));
    assertThat(printed.exitCode()).as(printed.err()).isZero();
    assertThat(printed.out()).hasSize(20);

    List<String> toFiles = new ArrayList<>(job);
    toFiles.addAll(List.of("--partition", "1", "--out", dir.resolve("out").toString()));
    ToolProcess.Ended refused = tool(toFiles.toArray(String[]::new));
    assertThat(refused.exitCode()).as("with another output").isEqualTo(1);
    assertThat(refused.err()).contains("another job's");
    assertWholeAndOnce(dir.resolve("out"), ends);

    ObjectNode root = (ObjectNode) JSON.readTree(checkpoint.toFile());
    JSON.writeValue(checkpoint.toFile(), root.put("topicId", Uuid.randomUuid().toString()));
    refused = tool(job.toArray(String[]::new));
    assertThat(refused.exitCode()).as("of a topic that had the name before").isEqualTo(1);
    assertThat(refused.err()).contains("another job's");
    assertThat(refused.out()).isEmpty();
  }

  private void whatARunLeftOutIsListedByTheNext() throws Exception {
    JsonNode missing = firstSegment();
    String key = missing.path("object").asText();
    Path file = dir.resolve("objects").resolve(key.replace("/", "+/"));
    Files.move(file, dir.resolve("aside"));
    Path checkpoint = dir.resolve("partial.checkpoint");
    List<String> job = new ArrayList<>(job(dir.resolve("partial"), checkpoint, "PT0.1S"));
    job.add("--skip-damaged");
    Process first = ToolProcess.start(dir, slowly(job));
    await(() -> some(checkpoint), "a checkpoint behind what is missing");
    first.destroyForcibly().waitFor();

    String range = "partition 0, offsets 0 to " + missing.path("end").asLong();
    for (int run = 2; run <= 3; run++) {
      ToolProcess.Ended next = tool(job.toArray(String[]::new));
      assertThat(next.exitCode()).as("run %d%n%s", run, next.err()).isEqualTo(1);
      assertThat(next.err().lines().filter(line -> line.contains("skip")))
          .singleElement()
          .satisfies(line -> assertThat(line).startsWith("skipped by an earlier run: " + range));
      assertThat(next.err()).contains("done, ranges left out: 1;");
    }
    Files.move(dir.resolve("aside"), file);
  }

  private JsonNode firstSegment() throws Exception {
    for (String line : tool("tier", "ls", "--segments", "--json", "--store", store()).out()) {
      JsonNode segment = JSON.readTree(line);
      if (segment.path("partition").asText().endsWith("-0")
          && segment.path("start").asLong() == 0
          && segment.path("bytes").asLong() > 500_000) {
        return segment;
      }
    }
    throw new AssertionError("no segment of partition 0");
  }

  private void byOffsetAndPartition() throws Exception {
    ToolProcess.Ended some =
        tool(
            "replay",
            TOPIC,
            "--store",
            store(),
            "--partition",
            "1",
            "--from",
            "10",
            "--to",
            "20",
            "--format",
            "values");
    assertThat(some.exitCode()).as(some.err()).isZero();
    assertThat(some.out()).isEqualTo(written.get(1).subList(10, 20));
    assertThat(tool("replay", "nothing", "--store", store()).exitCode()).isEqualTo(1);
  }

  private void intoACluster(BrokerProcess broker, Map<Integer, Long> ends) throws Exception {
    try (Admin admin = Admin.create(client(broker))) {
      admin
          .createTopics(List.of(new NewTopic("copy", PARTITIONS, (short) 1)))
          .all()
          .get(30, TimeUnit.SECONDS);
    }
    ToolProcess.Ended copied =
        tool(
            "replay",
            TOPIC,
            "--store",
            store(),
            "--to-bootstrap",
            broker.bootstrap(),
            "--to-topic",
            "copy",
            "--rate",
            "50M",
            "--checkpoint",
            dir.resolve("copy.checkpoint").toString());
    assertThat(copied.exitCode()).as(copied.err()).isZero();
    assertThat(JSON.readTree(dir.resolve("copy.checkpoint").toFile()).path("output").asText())
        .matches("topic copy of cluster \\S+");
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            client(broker), new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      for (Map.Entry<Integer, Long> end : ends.entrySet()) {
        TopicPartition partition = new TopicPartition("copy", end.getKey());
        consumer.assign(List.of(partition));
        consumer.seekToBeginning(List.of(partition));
        List<String> values = new ArrayList<>();
        while (values.size() < end.getValue()) {
          for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofSeconds(1))) {
            values.add(new String(record.value(), StandardCharsets.UTF_8));
            assertThat(record.timestamp()).isEqualTo(1_700_000_000_000L + record.offset());
            assertThat(record.headers().lastHeader("h")).isNotNull();
          }
        }
        assertThat(values)
            .isEqualTo(written.get(end.getKey()).subList(0, end.getValue().intValue()));
      }
    }
  }

  private static Properties client(BrokerProcess broker) {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", broker.bootstrap());
    return properties;
  }

  private void produce(BrokerProcess broker) throws Exception {
    try (Admin admin = Admin.create(client(broker))) {
      NewTopic topic = new NewTopic(TOPIC, Optional.of(PARTITIONS), Optional.of((short) 1));
      topic.configs(Map.of("segment.bytes", String.valueOf(1 << 20), "retention.ms", "-1"));
      admin.createTopics(List.of(topic)).all().get(30, TimeUnit.SECONDS);
    }
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(client(broker), new ByteArraySerializer(), new ByteArraySerializer())) {
      for (int partition = 0; partition < PARTITIONS; partition++) {
        List<String> values = new ArrayList<>();
        for (int i = 0; i < 3_000; i++) {
          values.add("value " + i + " of " + partition + " " + "x".repeat(1_000));
          ProducerRecord<byte[], byte[]> record =
              new ProducerRecord<>(
                  TOPIC,
                  partition,
                  1_700_000_000_000L + i,
                  ("k" + i).getBytes(StandardCharsets.UTF_8),
                  values.get(i).getBytes(StandardCharsets.UTF_8));
          record.headers().add("h", new byte[] {1});
          var unused = producer.send(record);
        }
        written.put(partition, values);
      }
    }
  }

  /** Ends of the tier once two segments of each partition lie there. */
  private static Map<Integer, Long> awaitTiered(BrokerProcess broker) throws Exception {
    Map<Integer, Long> ends = new TreeMap<>();
    try (Admin admin = Admin.create(client(broker))) {
      for (int p = 0; p < PARTITIONS; p++) {
        TopicPartition partition = new TopicPartition(TOPIC, p);
        await(
            () -> {
              try {
                long last =
                    admin
                        .listOffsets(Map.of(partition, OffsetSpec.latestTiered()))
                        .partitionResult(partition)
                        .get(30, TimeUnit.SECONDS)
                        .offset();
                ends.put(partition.partition(), last + 1);
                return last > 1_900;
              } catch (Exception e) {
                throw new IllegalStateException(e);
              }
            },
            "two segments in the tier");
      }
    }
    return ends;
  }

  private static boolean some(Path checkpoint) {
    try {
      return Files.exists(checkpoint)
          && JSON.readTree(checkpoint.toFile()).path("partitions").path("0").path("next").asLong()
              > 0;
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private static boolean complete(Path checkpoint, Map<Integer, Long> ends) throws IOException {
    JsonNode partitions = JSON.readTree(checkpoint.toFile()).path("partitions");
    return ends.entrySet().stream()
        .allMatch(
            e -> partitions.path(String.valueOf(e.getKey())).path("next").asLong() >= e.getValue());
  }

  private static void await(BooleanSupplier condition, String what) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("waiting for " + what).isLessThan(end);
      TimeUnit.MILLISECONDS.sleep(50);
    }
  }
}
