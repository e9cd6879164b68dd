package io.strandline.tests.fault.exactly;

import java.util.List;
import java.util.Map;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;

/**
 * All that happened, as the clients tell it.
 *
 * @param attempts by id
 * @param committed in the end, from the beginning, by a reader of what is committed
 * @param all the same by a reader of everything
 * @param readers what was seen while it happened, up to the end
 * @param groups commits of a group with one member, and what it was told of them, in order
 * @param flows topics whose records are made into others, with the topic of those
 * @param hopsMax records of so many hops are made into no other
 */
record History(
    Map<String, Attempt> attempts,
    Map<TopicPartition, List<Seen>> committed,
    Map<TopicPartition, List<Seen>> all,
    List<Reading> readers,
    List<Offset> groups,
    Map<String, String> flows,
    int hopsMax) {

  /** In the order in which one reader was given records, from the beginning to the end. */
  record Reading(IsolationLevel isolation, Map<TopicPartition, List<Seen>> seen) {}

  /** A group's offset: acknowledged when it was committed, or else told when it was asked for. */
  record Offset(TopicPartition partition, long offset, boolean acknowledged) {}

  Map<TopicPartition, List<Seen>> end(IsolationLevel isolation) {
    return isolation == IsolationLevel.READ_COMMITTED ? committed : all;
  }
}
