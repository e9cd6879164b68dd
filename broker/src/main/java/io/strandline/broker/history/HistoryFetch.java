package io.strandline.broker.history;

import io.strandline.broker.replica.TierMark;
import java.util.Map;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.FetchRequest;

/** A client's Fetch, without a session, that wants to be told how far partitions are tiered. */
final class HistoryFetch extends FetchRequest.Builder {
  /** Of the API, since when it has tagged fields. */
  private static final short TAGGED_SINCE = 12;

  private static final int CONSUMER = -1;

  /**
   * @param maxWaitMs until there is a byte; 0 asks for what is there
   */
  HistoryFetch(
      Map<TopicPartition, FetchRequest.PartitionData> parts,
      IsolationLevel isolation,
      int maxWaitMs,
      int maxBytes) {
    super(
        TAGGED_SINCE,
        ApiKeys.FETCH.latestVersion(),
        CONSUMER,
        -1,
        maxWaitMs,
        maxWaitMs > 0 ? 1 : 0,
        parts);
    isolationLevel(isolation);
    setMaxBytes(maxBytes);
  }

  @Override
  public FetchRequest build(short version) {
    FetchRequest request = super.build(version);
    request.data().unknownTaggedFields().add(TierMark.wish());
    return request;
  }
}
