package io.strandline.tools;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Callable;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Records out, a line each. */
@Command(
    name = "consume",
    description = "Print the records of a topic, from wherever they lie.",
    mixinStandardHelpOptions = true)
final class ConsumeCommand implements Callable<Integer> {
  private static final Duration POLL = Duration.ofMillis(250);

  @Spec
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private CommandSpec spec;

  @Mixin private Connection connection = new Connection();

  @Parameters(paramLabel = "TOPIC", description = "Where from.")
  private String topic = "";

  @Option(
      names = {"-g", "--group"},
      description = "Join this group and commit; else read all partitions alone.")
  private @Nullable String group;

  @Option(
      names = {"-o", "--offset"},
      defaultValue = "earliest",
      description =
          "earliest, latest, a number, or @TIME as 2026-01-31T12:00:00Z (default: ${DEFAULT-VALUE});"
              + " with a group earliest or latest, for where it has committed nothing.")
  private String offset = "earliest";

  @Option(
      names = {"-p", "--partition"},
      description = "Only this partition; not with a group.")
  private @Nullable Integer partition;

  @Option(
      names = {"-n", "--count"},
      description = "Stop after so many records.")
  private long count = Long.MAX_VALUE;

  @Option(
      names = {"-e", "--exit"},
      description = "Stop at the end the partitions had at the start.")
  private boolean exitAtEnd;

  @Option(
      names = "--json",
      description = "Print offset, timestamp, key, value and headers as JSON.")
  private boolean json;

  @Option(
      names = "--read-committed",
      description = "Leave out records of aborted and open transactions.")
  private boolean readCommitted;

  @Override
  public Integer call() throws IOException {
    requireSense();
    // Not System.out: a PrintStream keeps to itself that a disk is full or a pipe closed.
    OutputStream out = new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), 1 << 16);
    try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(properties())) {
      Printed printed = new Printed(consumer);
      Map<TopicPartition, Long> ends = begin(consumer, printed);
      RecordLine lines = new RecordLine(out, json);
      Progress progress = Progress.onTerminal("records");
      long left = count;
      while (left > 0 && !(exitAtEnd && reached(consumer, ends))) {
        ConsumerRecords<byte[], byte[]> polled = consumer.poll(POLL);
        Map<TopicPartition, OffsetAndMetadata> next = new HashMap<>();
        for (ConsumerRecord<byte[], byte[]> record : polled) {
          if (left > 0) {
            lines.write(record);
            next.put(
                new TopicPartition(record.topic(), record.partition()),
                new OffsetAndMetadata(record.offset() + 1, record.leaderEpoch(), ""));
            progress.at(count - --left);
          }
        }
        if (left > 0) {
          next.putAll(polled.nextOffsets()); // behind the ends of transactions too
          printed.begin();
        }
        out.flush();
        printed.upTo(next);
      }
      printed.commit();
      progress.done();
      return 0;
    }
  }

  /** Which partitions a member of a group reads, and from where, is the group's. */
  private void requireSense() {
    if (group != null && partition != null) {
      throw new ParameterException(spec.commandLine(), "--partition is not for a group");
    }
    if (group != null && !offset.equals("earliest") && !offset.equals("latest")) {
      throw new ParameterException(
          spec.commandLine(),
          "a group begins at what it committed, else at --offset earliest or latest; strandline"
              + " groups reset sets what it committed");
    }
  }

  /** Positions the consumer; answers the ends to stop at, empty with a group. */
  private Map<TopicPartition, Long> begin(KafkaConsumer<byte[], byte[]> consumer, Printed printed) {
    List<TopicPartition> partitions = partitions(consumer);
    if (group != null) {
      consumer.subscribe(List.of(topic), printed);
      return exitAtEnd ? consumer.endOffsets(partitions) : Map.of();
    }
    consumer.assign(partitions);
    seek(consumer, partitions);
    return consumer.endOffsets(partitions);
  }

  private List<TopicPartition> partitions(KafkaConsumer<byte[], byte[]> consumer) {
    List<PartitionInfo> known = consumer.partitionsFor(topic);
    if (known == null || known.isEmpty()) {
      throw new UnknownTopicOrPartitionException("there is no topic " + topic);
    }
    return known.stream()
        .filter(p -> partition == null || p.partition() == partition)
        .map(p -> new TopicPartition(topic, p.partition()))
        .toList();
  }

  private void seek(KafkaConsumer<byte[], byte[]> consumer, List<TopicPartition> partitions) {
    switch (offset) {
      case "earliest" -> consumer.seekToBeginning(partitions);
      case "latest" -> consumer.seekToEnd(partitions);
      default -> {
        if (offset.startsWith("@")) {
          seekToTime(consumer, partitions, Instant.parse(offset.substring(1)).toEpochMilli());
        } else {
          long number = Long.parseLong(offset);
          partitions.forEach(p -> consumer.seek(p, number));
        }
      }
    }
  }

  private static void seekToTime(
      KafkaConsumer<byte[], byte[]> consumer, List<TopicPartition> partitions, long timestampMs) {
    Map<TopicPartition, Long> times = new LinkedHashMap<>();
    partitions.forEach(p -> times.put(p, timestampMs));
    Map<TopicPartition, OffsetAndTimestamp> found = consumer.offsetsForTimes(times);
    for (TopicPartition p : partitions) {
      OffsetAndTimestamp at = found.get(p);
      if (at == null) {
        consumer.seekToEnd(List.of(p));
      } else {
        consumer.seek(p, at.offset());
      }
    }
  }

  private static boolean reached(
      KafkaConsumer<byte[], byte[]> consumer, Map<TopicPartition, Long> ends) {
    return !consumer.assignment().isEmpty()
        && ends.entrySet().stream()
            .filter(e -> consumer.assignment().contains(e.getKey()))
            .allMatch(e -> consumer.position(e.getKey()) >= e.getValue());
  }

  private Properties properties() throws IOException {
    Properties properties = connection.properties();
    properties.put(ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
    properties.put(ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
    properties.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
    properties.put(
        ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, offset.equals("latest") ? "latest" : "earliest");
    properties.put(
        ConsumerConfig.ISOLATION_LEVEL_CONFIG,
        readCommitted ? "read_committed" : "read_uncommitted");
    if (group != null) {
      properties.put(ConsumerConfig.GROUP_ID_CONFIG, group);
    }
    return properties;
  }

  /**
   * How far each partition was printed, which is what a group commits: a poll fetches more than may
   * be asked for, and what could not be written was not read. Called by the polling thread alone.
   */
  private final class Printed implements ConsumerRebalanceListener {
    private static final long EVERY_NANOS = 1_000_000_000L;

    private final KafkaConsumer<byte[], byte[]> consumer;
    private final Map<TopicPartition, OffsetAndMetadata> next = new HashMap<>();
    private long committedNanos = System.nanoTime();

    Printed(KafkaConsumer<byte[], byte[]> consumer) {
      this.consumer = consumer;
    }

    /** All that was polled is printed: a partition that gave nothing yet is begun where it is. */
    void begin() {
      if (group == null) {
        return;
      }
      for (TopicPartition idle : consumer.assignment()) {
        if (!next.containsKey(idle)) {
          try {
            next.put(idle, new OffsetAndMetadata(consumer.position(idle, Duration.ZERO)));
          } catch (TimeoutException unknown) {
            // not known before another poll
          }
        }
      }
    }

    void upTo(Map<TopicPartition, OffsetAndMetadata> further) {
      next.putAll(further);
      if (group != null && System.nanoTime() - committedNanos >= EVERY_NANOS) {
        consumer.commitAsync(Map.copyOf(next), null);
        committedNanos = System.nanoTime();
      }
    }

    void commit() {
      if (group != null && !next.isEmpty()) {
        consumer.commitSync(next);
      }
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {}

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
      try {
        commit();
      } catch (InterruptException | WakeupException end) {
        throw end;
      } catch (KafkaException failure) { // who gets them next prints again what was not committed
        System.err.println("strandline: not committed: " + failure.getMessage());
      }
      next.keySet().removeAll(partitions);
    }

    @Override
    public void onPartitionsLost(Collection<TopicPartition> partitions) {
      next.keySet().removeAll(partitions);
    }
  }

  /** One record as one line: its value alone, or all of it as JSON. */
  private record RecordLine(OutputStream out, boolean json) {
    private static final com.fasterxml.jackson.databind.ObjectMapper JSON =
        new com.fasterxml.jackson.databind.ObjectMapper();

    void write(ConsumerRecord<byte[], byte[]> record) throws IOException {
      if (json) {
        Map<String, @Nullable Object> line = new LinkedHashMap<>();
        line.put("partition", record.partition());
        line.put("offset", record.offset());
        line.put("timestamp", record.timestamp());
        line.put("key", text(record.key()));
        line.put("value", text(record.value()));
        Map<String, @Nullable Object> headers = new LinkedHashMap<>();
        for (Header header : record.headers()) {
          headers.put(header.key(), text(header.value()));
        }
        line.put("headers", headers);
        out.write(JSON.writeValueAsBytes(line));
      } else if (record.value() != null) {
        out.write(record.value());
      }
      out.write('\n');
    }

    private static @Nullable String text(byte @Nullable [] bytes) {
      return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8);
    }
  }
}
