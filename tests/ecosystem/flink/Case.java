package io.strandline.ecosystem;

import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * Flink's source and exactly-once sink: an application that fails, is killed, and goes on from its
 * checkpoint.
 */
final class Case {
  private final Stage stage;
  private final long begin = System.currentTimeMillis() - 3_600_000;
  private final List<String> written = new ArrayList<>();

  private Case(Stage stage) {
    this.stage = stage;
  }

  public static void main(String[] args) {
    Stage.run(stage -> new Case(stage).play());
  }

  private void play() throws Exception {
    try (Admin admin = stage.admin(stage.bootstrap)) {
      admin
          .createTopics(
              List.of(new NewTopic("in", 3, (short) 1), new NewTopic("out", 2, (short) 1)))
          .all()
          .get();
      write(5_000);
      Process application = application("INCREMENTING");
      stage.await("a checkpoint is committed", () -> copied().size() > 500);
      application.destroyForcibly().waitFor();
      stage.check("it was killed on its way", copied().size() < 5_000);

      application = application("INCREMENTING");
      write(5_000);
      int before = copied().size();
      stage.await("it goes on from its checkpoint", () -> copied().size() > before);
      Files.createFile(stage.dir.resolve("stumble"));
      stage.await("it fails", () -> !Files.exists(stage.dir.resolve("stumble")));
      stage.restartBroker();
      write(1_000);
      all("after a kill, a failure and the broker's");
      stage.await(
          "the group's offsets are committed",
          () ->
              !admin
                  .listConsumerGroupOffsets("flink")
                  .partitionsToOffsetAndMetadata()
                  .get()
                  .isEmpty());

      // The other way to name transactions asks the broker which ones are open.
      application.destroyForcibly().waitFor();
      application = application("POOLING");
      write(3_000);
      int between = copied().size();
      stage.await("it goes on with pooled names", () -> copied().size() > between);
      application.destroyForcibly().waitFor();
      write(1_000);
      application = application("POOLING");
      all("with pooled names, after a kill");
      stage.check(
          "transactions are the sink's",
          admin.listTransactions().all().get().stream()
              .anyMatch(t -> t.transactionalId().startsWith("copy")));
      application.destroyForcibly().waitFor();
      bounded();
    }
  }

  private void all(String when) throws Exception {
    stage.await("all is copied " + when, () -> copied().size() >= written.size());
    stage.equal(
        "each record once " + when,
        written.stream().sorted().toList(),
        copied().stream().sorted().toList());
  }

  private void bounded() throws Exception {
    StreamExecutionEnvironment flink = StreamExecutionEnvironment.createLocalEnvironment(2);
    var whole = Copy.source(stage.bootstrap, "in").setBounded(OffsetsInitializer.latest()).build();
    stage.equal("a bounded read of all", Set.copyOf(written), Set.copyOf(take(flink, whole)));
    var later =
        Copy.source(stage.bootstrap, "in")
            .setStartingOffsets(OffsetsInitializer.timestamp(begin + 4_000))
            .setBounded(OffsetsInitializer.timestamp(begin + 6_000))
            .build();
    stage.equal(
        "a bounded read by time",
        Set.copyOf(written.subList(4_000, 6_000)),
        Set.copyOf(take(flink, later)));
    var out =
        Copy.source(stage.bootstrap, "out")
            .setProperty("isolation.level", "read_committed")
            .setBounded(OffsetsInitializer.latest())
            .build();
    stage.equal(
        "a bounded read of what is committed",
        written.stream().sorted().toList(),
        take(flink, out).stream().sorted().toList());
  }

  private static List<String> take(StreamExecutionEnvironment flink, KafkaSource<String> source)
      throws Exception {
    List<String> all = new ArrayList<>();
    try (var results =
        flink.fromSource(source, WatermarkStrategy.noWatermarks(), "bounded").executeAndCollect()) {
      results.forEachRemaining(all::add);
    }
    return all;
  }

  private List<String> copied() {
    return stage.values(stage.bootstrap, "out");
  }

  private void write(int count) {
    int first = written.size();
    try (var producer = stage.producer(stage.bootstrap)) {
      IntStream.range(first, first + count)
          .forEach(
              i -> {
                producer.send(
                    new ProducerRecord<>("in", null, begin + i, "key " + i % 100, "value " + i));
                written.add("value " + i);
              });
    }
  }

  private Process application(String naming) throws Exception {
    return stage.java(
        "application",
        List.of("-Xmx768m"),
        Copy.class.getName(),
        stage.bootstrap,
        stage.dir.toString(),
        naming);
  }
}
