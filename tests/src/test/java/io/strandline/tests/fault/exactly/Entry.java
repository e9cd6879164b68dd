package io.strandline.tests.fault.exactly;

import org.apache.kafka.common.TopicPartition;

/**
 * What a record's value says of itself.
 *
 * @param writer who wrote it
 * @param number of the writer's attempt, from 0
 * @param index within the attempt, from 0
 * @param hops how often it was made out of another
 * @param source the record it was made out of, as {@link #at}; empty if out of none
 */
record Entry(String writer, long number, int index, int hops, String source) {
  /** In the name of a writer that sends again what it does not know to be there. */
  static final String REPEATS = "repeats";

  /** Whether it may be there more than once, and after what was sent later. */
  boolean repeats() {
    return writer.contains(REPEATS);
  }

  /** Of the attempt it belongs to. */
  String attempt() {
    return writer + "-" + number;
  }

  String value() {
    return String.join(
        "|",
        writer,
        Long.toString(number),
        Integer.toString(index),
        Integer.toString(hops),
        source);
  }

  static Entry parse(String value) {
    String[] parts = value.split("\\|", -1);
    return new Entry(
        parts[0],
        Long.parseLong(parts[1]),
        Integer.parseInt(parts[2]),
        Integer.parseInt(parts[3]),
        parts[4]);
  }

  /** Names a record by its place. */
  static String at(TopicPartition partition, long offset) {
    return partition + "@" + offset;
  }
}
