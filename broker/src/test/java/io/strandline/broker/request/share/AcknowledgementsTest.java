package io.strandline.broker.request.share;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.broker.guard.Guard;
import io.strandline.broker.request.data.DataRig;
import io.strandline.broker.request.share.Acknowledgements.Said;
import io.strandline.broker.request.share.Acknowledgements.Sender;
import io.strandline.broker.share.GroupTerms;
import io.strandline.broker.share.SharePartitions;
import io.strandline.broker.share.window.Acknowledgement;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.common.utils.Utils;
import org.apache.kafka.coordinator.group.GroupConfigManager;
import org.apache.kafka.coordinator.group.GroupCoordinatorConfig;
import org.apache.kafka.coordinator.group.modern.share.ShareGroupConfig;
import org.apache.kafka.server.share.persister.NoOpStatePersister;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Acknowledgements of several partitions. */
class AcknowledgementsTest {
  @TempDir Path dir;

  @Test
  void nothingIsCarriedOutBeforeAllIsJudged() throws Exception {
    DataRig rig = new DataRig(dir);
    rig.lead(0, 1);
    AtomicInteger asked = new AtomicInteger();
    Guard guard =
        (who, operation, type, name) -> {
          if (asked.incrementAndGet() == 2) {
            throw new IllegalStateException("for the test");
          }
          return true;
        };
    MeterRegistry meters = new SimpleMeterRegistry();
    SharePartitions partitions =
        new SharePartitions(rig.partitions, new NoOpStatePersister(), terms(), rig.time, meters);
    Acknowledgements acknowledgements = new Acknowledgements(rig.control, guard, partitions);
    Acknowledgement accepted = new Acknowledgement(0, 0, List.of((byte) 1));
    List<Said> said =
        List.of(
            new Said(DataRig.TOPIC, 0, List.of(accepted)),
            new Said(DataRig.TOPIC, 1, List.of(accepted)));
    Sender sender =
        new Sender(
            DataRig.context(ApiKeys.SHARE_ACKNOWLEDGE, (short) 1, "connection"),
            new ShareSessions.Member("group", "member"),
            false);
    assertThatThrownBy(() -> acknowledgements.carryOut(sender, said))
        .isInstanceOf(IllegalStateException.class);
    // None was given to the member: one that is carried out is refused.
    assertThat(meters.counter("strandline.share.refused.acknowledgements").count()).isZero();
    assertThat(acknowledgements.carryOut(sender, said)).isDone();
    assertThat(meters.counter("strandline.share.refused.acknowledgements").count()).isEqualTo(2);
  }

  private static GroupTerms terms() {
    List<ConfigDef> both = List.of(GroupCoordinatorConfig.CONFIG_DEF, ShareGroupConfig.CONFIG_DEF);
    AbstractConfig config = new AbstractConfig(Utils.mergeConfigs(both), Map.of());
    ShareGroupConfig shares = new ShareGroupConfig(config);
    GroupConfigManager groups =
        new GroupConfigManager(Map.of(), new GroupCoordinatorConfig(config), shares);
    return new GroupTerms(groups, shares, Time.SYSTEM);
  }
}
