package io.strandline.broker.request.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.broker.guard.Guard;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.common.message.DeleteRecordsRequestData;
import org.apache.kafka.common.message.DeleteRecordsRequestData.DeleteRecordsPartition;
import org.apache.kafka.common.message.DeleteRecordsRequestData.DeleteRecordsTopic;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.DeleteRecordsRequest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** DeleteRecords of several topics. */
class DeleteRecordsTest {
  @TempDir Path dir;

  private static DeleteRecordsTopic beforeOne(String topic) {
    return new DeleteRecordsTopic()
        .setName(topic)
        .setPartitions(List.of(new DeleteRecordsPartition().setPartitionIndex(0).setOffset(1)));
  }

  @Test
  void nothingIsDeletedBeforeAllTopicsAreJudged() throws Exception {
    DataRig rig = new DataRig(dir);
    rig.lead(0);
    rig.append(0, 10);
    Guard guard =
        (who, operation, type, name) -> {
          if (!name.equals(DataRig.NAME)) {
            throw new IllegalStateException("for the test");
          }
          return true;
        };
    OffsetHandlers handlers =
        new OffsetHandlers(
            new Sources(rig.partitions, Optional.empty(), rig.replays),
            guard,
            () -> 1_000,
            rig.time);
    DeleteRecordsRequest body =
        new DeleteRecordsRequest.Builder(
                new DeleteRecordsRequestData()
                    .setTopics(List.of(beforeOne(DataRig.NAME), beforeOne("second"))))
            .build();
    assertThatThrownBy(() -> handlers.delete(DataRig.request(ApiKeys.DELETE_RECORDS, body)))
        .isInstanceOf(IllegalStateException.class);
    assertThat(rig.partition(0).logStartOffset()).isZero();
  }
}
