package io.strandline.tests.fault.exactly;

import java.util.List;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;

/**
 * One transaction, or one plain record, as its writer knows it.
 *
 * @param id as {@link Entry#attempt}
 * @param placed the partition of each record that was sent, by index
 * @param outcome what its writer was told in the end
 * @param reads attempts whose records it was made out of
 */
record Attempt(String id, List<TopicPartition> placed, Outcome outcome, Set<String> reads) {
  /** Of an attempt. */
  enum Outcome {
    /** Acknowledged: to be seen by all. */
    COMMITTED,
    /** To be seen by nobody who reads what is committed. */
    ABORTED,
    /** The writer was not told: all of it or nothing. */
    UNKNOWN
  }
}
