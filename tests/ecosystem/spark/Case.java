package io.strandline.ecosystem;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.streaming.Trigger;

/**
 * Spark Structured Streaming: an application that is killed and goes on, and batches by offset and
 * by time.
 */
final class Case {
  private final Stage stage;
  private final long begin = System.currentTimeMillis() - 3_600_000;

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
              List.of(
                  new NewTopic("in", 3, (short) 1),
                  new NewTopic("out", 2, (short) 1),
                  new NewTopic("batch", 1, (short) 1)))
          .all()
          .get();
    }
    write(0, 5_000);
    Process application = application();
    stage.await("records are copied", () -> copied().size() > 1_500);
    application.destroyForcibly().waitFor();
    stage.check("it was killed on its way", copied().size() < 5_000);
    write(5_000, 2_000);
    application = application();
    stage.await("it goes on", () -> copied().size() > 3_500);
    stage.restartBroker();
    write(7_000, 1_000);
    stage.await("all is copied", () -> new HashSet<>(copied()).size() >= 8_000);
    application.destroyForcibly().waitFor();
    // Spark's sink promises at least once: what the killed one had sent of its last batch comes
    // again.
    stage.equal(
        "each record with its key and headers",
        new TreeSet<>(contents("in")),
        new TreeSet<>(contents("out")));
    stage.check("only a batch came twice", copied().size() <= 8_000 + 2 * 500);
    batches();
  }

  private void batches() throws Exception {
    SparkSession spark = Copy.session(stage.dir.toString());
    List<ConsumerRecord<byte[], byte[]>> in = stage.committed(stage.bootstrap, "in");
    List<String> some =
        in.stream()
            .filter(r -> r.offset() >= 10 && r.offset() < 500)
            .map(r -> Stage.text(r.value()))
            .sorted()
            .toList();
    stage.equal(
        "a batch by offsets",
        some,
        read(
            spark,
            Map.of(
                "startingOffsets",
                "{\"in\":{\"0\":10,\"1\":10,\"2\":10}}",
                "endingOffsets",
                "{\"in\":{\"0\":500,\"1\":500,\"2\":500}}")));
    List<String> later =
        in.stream()
            .filter(r -> r.timestamp() >= begin + 4_000 && r.timestamp() < begin + 6_000)
            .map(r -> Stage.text(r.value()))
            .sorted()
            .toList();
    stage.equal("those are 2,000", 2_000, later.size());
    stage.equal(
        "a batch by time",
        later,
        read(
            spark,
            Map.of(
                "startingTimestamp",
                "" + (begin + 4_000),
                "endingTimestamp",
                "" + (begin + 6_000))));
    stage.equal(
        "all of it, read in more tasks than there are partitions",
        8_000,
        read(spark, Map.of("minPartitions", "7")).size());
    stage.equal(
        "keys are counted",
        80L,
        spark
            .read()
            .format("kafka")
            .option("kafka.bootstrap.servers", stage.bootstrap)
            .option("subscribePattern", "i.")
            .load()
            .selectExpr("CAST(key AS STRING) AS k")
            .groupBy("k")
            .count()
            .filter("k = 'key 7'")
            .first()
            .getLong(1));
    List<String> texts = IntStream.range(0, 1_000).mapToObj(i -> "row " + i).toList();
    spark
        .createDataset(texts, Encoders.STRING())
        .selectExpr("value AS key", "value")
        .write()
        .format("kafka")
        .option("kafka.bootstrap.servers", stage.bootstrap)
        .option("topic", "batch")
        .save();
    stage.equal(
        "a batch is written",
        new TreeSet<>(texts),
        new TreeSet<>(stage.values(stage.bootstrap, "batch")));
    var query =
        spark
            .readStream()
            .format("kafka")
            .option("kafka.bootstrap.servers", stage.bootstrap)
            .option("subscribe", "in")
            .option("startingOffsets", "earliest")
            .load()
            .selectExpr("CAST(value AS STRING) AS v")
            .writeStream()
            .format("memory")
            .queryName("seen")
            .option("checkpointLocation", stage.dir + "/seen")
            .trigger(Trigger.AvailableNow())
            .start();
    query.awaitTermination();
    stage.equal(
        "what was available when it began",
        8_000L,
        spark.sql("SELECT DISTINCT v FROM seen").count());
    spark.stop();
  }

  private List<String> read(SparkSession spark, Map<String, String> options) {
    return spark
        .read()
        .format("kafka")
        .option("kafka.bootstrap.servers", stage.bootstrap)
        .option("subscribe", "in")
        .options(options)
        .load()
        .selectExpr("CAST(value AS STRING)")
        .as(Encoders.STRING())
        .collectAsList()
        .stream()
        .sorted()
        .toList();
  }

  private List<String> copied() {
    return stage.values(stage.bootstrap, "out");
  }

  private List<String> contents(String topic) {
    return stage.committed(stage.bootstrap, topic).stream()
        .map(
            r ->
                Stage.text(r.key())
                    + "/"
                    + Stage.text(r.value())
                    + "/"
                    + Arrays.stream(r.headers().toArray())
                        .map(h -> h.key() + "=" + Stage.text(h.value()))
                        .toList())
        .toList();
  }

  private void write(int first, int count) {
    try (var producer = stage.producer(stage.bootstrap)) {
      for (int i = first; i < first + count; i++) {
        var record = new ProducerRecord<>("in", null, begin + i, "key " + i % 100, "value " + i);
        record.headers().add("number", ("" + i).getBytes());
        producer.send(record);
      }
    }
  }

  private Process application() throws Exception {
    return stage.java(
        "application",
        List.of("-Xmx768m"),
        Copy.class.getName(),
        stage.bootstrap,
        stage.dir.toString());
  }
}
