package io.strandline.broker.history;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.FetchResponse;
import org.apache.kafka.common.requests.RequestHeader;
import org.apache.kafka.common.requests.RequestUtils;
import org.junit.jupiter.api.Test;

/** What a partition's records keep in the heap of the answer that brought them. */
class DetachedRecordsTest {
  private static final int LARGE = 1 << 20;

  @Test
  void aSmallPartOfALargeAnswerKeepsItselfAlone() {
    MemoryRecords small = records(100);
    LinkedHashMap<TopicIdPartition, PartitionData> sent = new LinkedHashMap<>();
    sent.put(partition(0), part(0, small));
    sent.put(partition(1), part(1, records(LARGE)));
    sent.put(partition(2), part(2, MemoryRecords.EMPTY));
    Map<Integer, PartitionData> came = new LinkedHashMap<>();
    parsed(FetchResponse.of(Errors.NONE, 0, 0, sent, List.of()))
        .data()
        .responses()
        .get(0)
        .partitions()
        .forEach(part -> came.put(part.partitionIndex(), LeaderReads.detached(part)));

    assertThat(FetchResponse.recordsOrFail(came.get(0))).isEqualTo(small);
    assertThat(kept(came.get(0))).isEqualTo(small.sizeInBytes());
    assertThat(kept(came.get(2))).isZero();
    assertThat(FetchResponse.recordsSize(came.get(1))).isGreaterThan(LARGE);
    assertThat(kept(came.get(1))).isLessThan(2 * FetchResponse.recordsSize(came.get(1)));
  }

  private static int kept(PartitionData part) {
    return ((MemoryRecords) FetchResponse.recordsOrFail(part)).buffer().array().length;
  }

  private static TopicIdPartition partition(int index) {
    return new TopicIdPartition(new Uuid(3, 4), index, "orders");
  }

  private static PartitionData part(int index, MemoryRecords records) {
    return new PartitionData().setPartitionIndex(index).setRecords(records);
  }

  private static MemoryRecords records(int valueBytes) {
    return MemoryRecords.withRecords(
        Compression.NONE, new SimpleRecord(1_000, new byte[valueBytes]));
  }

  /** As it comes off the wire: all in one buffer. */
  private static FetchResponse parsed(FetchResponse response) {
    short version = ApiKeys.FETCH.latestVersion();
    RequestHeader header = new RequestHeader(ApiKeys.FETCH, version, "reads", 1);
    ByteBuffer frame =
        RequestUtils.serialize(
            header.toResponseHeader().data(),
            header.toResponseHeader().headerVersion(),
            response.data(),
            version);
    return (FetchResponse) AbstractResponse.parseResponse(frame, header);
  }
}
