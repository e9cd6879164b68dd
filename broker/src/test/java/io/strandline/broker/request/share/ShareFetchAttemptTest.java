package io.strandline.broker.request.share;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.broker.request.data.DataRig;
import io.strandline.broker.share.GroupTerms;
import io.strandline.broker.share.SharePartition.Limits;
import io.strandline.broker.share.SharePartitions;
import io.strandline.replay.Replay.TierRange;
import io.strandline.replay.ReplayException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.message.ShareFetchResponseData.AcquiredRecords;
import org.apache.kafka.common.message.ShareFetchResponseData.PartitionData;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.utils.Utils;
import org.apache.kafka.coordinator.group.GroupConfig;
import org.apache.kafka.coordinator.group.GroupConfigManager;
import org.apache.kafka.coordinator.group.GroupCoordinatorConfig;
import org.apache.kafka.coordinator.group.modern.share.ShareGroupConfig;
import org.apache.kafka.server.share.persister.NoOpStatePersister;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A share fetch of which the tier knows more than the log. */
class ShareFetchAttemptTest {
  private static final String GROUP = "group";
  private static final TopicIdPartition ID = new TopicIdPartition(DataRig.TOPIC, 0, DataRig.NAME);

  @TempDir Path dir;

  /** Kafka's share consumer has no branch for an offset that is out of range. */
  @Test
  void whatTheTierHasLetGoOfIsOverForTheGroupToo() throws Exception {
    DataRig rig = new DataRig(dir);
    rig.lead(0);
    rig.partition(0).log().truncateFullyAndStartAt(1, 0);
    rig.append(0, 10);
    rig.replay.range = new TierRange(1, 1);
    CompletableFuture<Map<TopicIdPartition, PartitionData>> reply = attempt(rig).begin();
    assertThat(rig.replay.asked.get(0).request().offset()).isZero();
    rig.replay
        .asked
        .get(0)
        .answer()
        .completeExceptionally(
            new ReplayException(ReplayException.Kind.OUT_OF_RANGE, "begins at 1", null));
    assertThat(reply).isDone();
    PartitionData given = reply.join().get(ID);
    assertThat(Errors.forCode(given.errorCode())).isEqualTo(Errors.NONE);
    assertThat(given.acquiredRecords())
        .extracting(AcquiredRecords::firstOffset)
        .containsExactly(1L);
  }

  private static ShareFetchAttempt attempt(DataRig rig) {
    MeterRegistry meters = new SimpleMeterRegistry();
    SharePartitions partitions =
        new SharePartitions(rig.partitions, new NoOpStatePersister(), terms(), rig.time, meters);
    return new ShareFetchAttempt(
        new ShareFetchAttempt.Services(
            partitions, Runnable::run, rig.time, new ReadMemory(1 << 20, meters)),
        new ShareFetchAttempt.Wanted(
            new ShareSessions.Member(GROUP, "member"),
            List.of(ID),
            "connection",
            new Limits(10, 10, false),
            1 << 20,
            1,
            500),
        () -> true,
        new ShareFetchAttempt.Allowance() {
          @Override
          public boolean admits(int bytes) {
            return true;
          }

          @Override
          public void owes(int bytes) {}
        });
  }

  private static GroupTerms terms() {
    List<ConfigDef> both = List.of(GroupCoordinatorConfig.CONFIG_DEF, ShareGroupConfig.CONFIG_DEF);
    AbstractConfig config = new AbstractConfig(Utils.mergeConfigs(both), Map.of());
    ShareGroupConfig shares = new ShareGroupConfig(config);
    GroupConfigManager groups =
        new GroupConfigManager(Map.of(), new GroupCoordinatorConfig(config), shares);
    Properties earliest = new Properties();
    earliest.setProperty(GroupConfig.SHARE_AUTO_OFFSET_RESET_CONFIG, "earliest");
    groups.updateGroupConfig(GROUP, earliest);
    return new GroupTerms(groups, shares, InstantSource.system());
  }
}
