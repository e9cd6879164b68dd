package io.strandline.broker.guard.quota;

import java.util.Map;
import java.util.Objects;
import org.apache.kafka.common.message.ShareFetchResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.MessageSizeAccumulator;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.record.internal.BaseRecords;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.FetchRequest;
import org.apache.kafka.common.requests.FetchResponse;
import org.apache.kafka.common.requests.ProduceRequest;
import org.apache.kafka.common.requests.RequestContext;
import org.apache.kafka.common.requests.ShareFetchResponse;
import org.jspecify.annotations.Nullable;

/**
 * What one request took of this broker.
 *
 * @param requestBytes header and body, with the length in front of them
 * @param answer null if none is sent
 * @param workNanos for which the request kept a thread
 */
public record Usage(
    RequestContext who,
    AbstractRequest request,
    int requestBytes,
    @Nullable AbstractResponse answer,
    long workNanos) {

  ApiKeys api() {
    return who.header.apiKey();
  }

  String clientId() {
    return who.header.clientId();
  }

  /** Of the answer, but for records that were fetched: they were charged when they were given. */
  int answerBytesDue() {
    if (answer instanceof FetchResponse fetch) {
      return answerBytes() - recordBytes(fetch);
    }
    return answerBytes() - (answer instanceof ShareFetchResponse fetch ? recordBytes(fetch) : 0);
  }

  private static int recordBytes(ShareFetchResponse fetch) {
    return fetch.data().responses().stream()
        .flatMap(topic -> topic.partitions().stream())
        .map(ShareFetchResponseData.PartitionData::records)
        .filter(Objects::nonNull)
        .mapToInt(BaseRecords::sizeInBytes)
        .sum();
  }

  private static int recordBytes(FetchResponse fetch) {
    return fetch.data().responses().stream()
        .flatMap(topic -> topic.partitions().stream())
        .mapToInt(FetchResponse::recordsSize)
        .sum();
  }

  /** Of the whole answer; counted anew in each call. */
  private int answerBytes() {
    if (answer == null) {
      return 0;
    }
    MessageSizeAccumulator size = new MessageSizeAccumulator();
    answer.data().addSize(size, new ObjectSerializationCache(), who.header.apiVersion());
    return size.totalSize();
  }

  int answerThrottleMs() {
    return answer == null ? 0 : answer.throttleTimeMs();
  }

  /** Other brokers are not limited by the quotas of clients; who is refused to act as one, is. */
  boolean ofBroker() {
    boolean follows = request instanceof FetchRequest fetch && fetch.isFromFollower();
    if (!api().clusterAction && !follows) {
      return false;
    }
    Map<Errors, Integer> told = answer == null ? Map.of() : answer.errorCounts();
    Errors refusal =
        follows ? Errors.TOPIC_AUTHORIZATION_FAILED : Errors.CLUSTER_AUTHORIZATION_FAILED;
    return !told.isEmpty() && !told.containsKey(refusal);
  }

  /** A producer that wants no answer can not be told to wait, so its time does not count. */
  boolean answered() {
    return !(request instanceof ProduceRequest produce && produce.acks() == 0);
  }
}
