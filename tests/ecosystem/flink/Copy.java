package io.strandline.ecosystem;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.concurrent.locks.LockSupport;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.MapFunction;
import org.apache.flink.api.common.serialization.SimpleStringSchema;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.sink.TransactionNamingStrategy;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.KafkaSourceBuilder;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * The application: copies topic "in" to "out" exactly once until it is killed. BOOTSTRAP DIRECTORY
 * NAMING
 */
final class Copy {
  private Copy() {}

  static KafkaSourceBuilder<String> source(String bootstrap, String topic) {
    return KafkaSource.<String>builder()
        .setBootstrapServers(bootstrap)
        .setTopics(topic)
        .setGroupId("flink")
        .setStartingOffsets(OffsetsInitializer.earliest())
        .setProperty("partition.discovery.interval.ms", "1000")
        .setValueOnlyDeserializer(new SimpleStringSchema());
  }

  public static void main(String[] args) throws Exception {
    Path checkpoints = Path.of(args[1], "checkpoints");
    Configuration config = new Configuration();
    config.setString("execution.checkpointing.interval", "500 ms");
    config.setString("execution.checkpointing.mode", "EXACTLY_ONCE");
    config.setString("execution.checkpointing.dir", checkpoints.toUri().toString());
    config.setString(
        "execution.checkpointing.externalized-checkpoint-retention", "RETAIN_ON_CANCELLATION");
    config.setString("execution.checkpointing.tolerable-failed-checkpoints", "1000");
    config.setString("restart-strategy.type", "fixed-delay");
    config.setString("restart-strategy.fixed-delay.attempts", "1000");
    config.setString("restart-strategy.fixed-delay.delay", "1 s");
    String newest = newest(checkpoints);
    if (newest != null) {
      System.err.println("going on from " + newest);
      config.setString("execution.state-recovery.path", newest);
    }
    StreamExecutionEnvironment flink = StreamExecutionEnvironment.createLocalEnvironment(2, config);
    flink
        .fromSource(source(args[0], "in").build(), WatermarkStrategy.noWatermarks(), "in")
        .uid("in")
        .map(new Slow(args[1] + "/stumble"))
        .uid("slow")
        .sinkTo(
            KafkaSink.<String>builder()
                .setBootstrapServers(args[0])
                .setDeliveryGuarantee(DeliveryGuarantee.EXACTLY_ONCE)
                .setTransactionalIdPrefix("copy")
                .setTransactionNamingStrategy(TransactionNamingStrategy.valueOf(args[2]))
                .setProperty(
                    "transaction.timeout.ms", String.valueOf(Duration.ofMinutes(5).toMillis()))
                .setRecordSerializer(
                    KafkaRecordSerializationSchema.builder()
                        .setTopic("out")
                        .setValueSerializationSchema(new SimpleStringSchema())
                        .build())
                .build())
        .uid("out");
    flink.execute("copy");
  }

  private static String newest(Path checkpoints) throws Exception {
    if (!Files.isDirectory(checkpoints)) {
      return null;
    }
    try (var files = Files.walk(checkpoints)) {
      return files
          .filter(f -> f.endsWith("_metadata"))
          .max(Comparator.comparing(f -> f.toFile().lastModified()))
          .map(f -> f.getParent().toUri().toString())
          .orElse(null);
    }
  }

  /**
   * A millisecond a record, so that there is something to interrupt; fails once for each time the
   * file is there.
   */
  private static final class Slow implements MapFunction<String, String> {
    private static final long serialVersionUID = 1;
    private final String stumble;

    private Slow(String stumble) {
      this.stumble = stumble;
    }

    @Override
    public String map(String value) throws Exception {
      LockSupport.parkNanos(1_000_000);
      if (value.endsWith("7") && Files.deleteIfExists(Path.of(stumble))) {
        throw new IllegalStateException("stumbled as told");
      }
      return value;
    }
  }
}
