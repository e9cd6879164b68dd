package io.strandline.tests.fault.streams;

import java.io.IOException;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * The application: reads {@code account number}, and tells each account's sum after each number. By
 * way of a repartition topic, and of a store on disk with a changelog.
 */
public final class RunningSums {
  static final String GROUP = "accounts";
  static final String NUMBERS = "numbers";
  static final String SUMS = "sums";
  static final String CHANGELOG = GROUP + "-totals-changelog";

  /** How it ends when Kafka Streams gave up. */
  static final int GAVE_UP = 3;

  private RunningSums() {}

  /**
   * Runs until it is killed, or its parent is gone.
   *
   * @param args settings, {@code key=value}
   */
  public static void main(String[] args) throws IOException {
    Properties settings = new Properties();
    for (String arg : args) {
      String[] pair = arg.split("=", 2);
      settings.put(pair[0], pair[1]);
    }
    KafkaStreams streams = new KafkaStreams(topology(), settings);
    streams.setStateListener(
        (now, before) -> {
          if (now == KafkaStreams.State.ERROR) {
            Runtime.getRuntime().halt(GAVE_UP);
          }
        });
    streams.start();
    while (System.in.read() >= 0) {
      // nothing is ever said
    }
    Runtime.getRuntime().halt(0);
  }

  private static Topology topology() {
    StreamsBuilder builder = new StreamsBuilder();
    builder.<String, String>stream(NUMBERS)
        .groupBy((key, line) -> line.split(" ", 2)[0], Grouped.as("by-account"))
        .aggregate(
            () -> 0L,
            (account, line, sum) -> sum + Long.parseLong(line.split(" ", 2)[1]),
            Materialized.<String, Long, KeyValueStore<Bytes, byte[]>>as("totals")
                .withKeySerde(Serdes.String())
                .withValueSerde(Serdes.Long()))
        .toStream()
        .mapValues(sum -> Long.toString(sum))
        .to(SUMS);
    return builder.build();
  }
}
