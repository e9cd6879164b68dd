package io.strandline.broker.replica;

import java.io.IOException;
import java.util.Map;
import org.apache.kafka.common.TopicIdPartition;

/**
 * A broker that leads partitions, as one fetcher asks it. One thread's, but for {@link #cancel}.
 */
public interface Leader extends AutoCloseable {
  /**
   * Asks for records of these partitions, and of no others; waits for the answer, which may leave
   * out those that have nothing new.
   *
   * @throws IOException when there is no answer
   */
  Map<TopicIdPartition, FetchAnswer> fetch(Map<TopicIdPartition, FetchPosition> wanted)
      throws IOException;

  /**
   * @param startOffset,endOffset of the leader's log
   */
  record Range(long startOffset, long endOffset) {}

  /**
   * Where the leader's log begins and ends.
   *
   * @throws org.apache.kafka.common.errors.ApiException as the leader answers
   */
  Range range(TopicIdPartition partition, int leaderEpoch) throws IOException;

  /** From any thread: what is under way fails, and so does whatever is asked after it. */
  void cancel();

  @Override
  void close();
}
