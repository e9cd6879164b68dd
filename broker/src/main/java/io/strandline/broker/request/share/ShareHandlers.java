package io.strandline.broker.request.share;

import io.micrometer.core.instrument.MeterRegistry;
import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.group.GroupHost;
import io.strandline.broker.guard.Guard;
import io.strandline.broker.guard.quota.Quotas;
import io.strandline.broker.partition.Partitions;
import io.strandline.broker.request.ApiTable;
import io.strandline.broker.share.GroupTerms;
import io.strandline.broker.share.ShareHost;
import io.strandline.broker.share.SharePartitions;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import org.apache.kafka.common.utils.Time;

/** The handlers of share groups. */
public final class ShareHandlers {
  /**
   * What they need of the process.
   *
   * @param reads may wait for the disk
   * @param timer ends waits and locks; its tasks are short
   * @param fetchBytesMax of one answer
   */
  public record Environment(
      Executor reads,
      ScheduledExecutorService timer,
      Time clock,
      MeterRegistry meters,
      Quotas quotas,
      Guard guard,
      int fetchBytesMax) {}

  private final ShareSessions sessions;
  private final ShareDataHandlers data;
  private final ShareGroupHandlers members;
  private final ShareOffsetHandlers offsets;
  private final ShareStateHandlers state;

  public ShareHandlers(
      ControlPlane control,
      Partitions partitions,
      GroupHost groups,
      ShareHost share,
      Environment process) {
    GroupTerms terms = new GroupTerms(groups.configs(), groups.shareDefaults(), process.clock());
    SharePartitions given =
        new SharePartitions(
            partitions, share.persister(), terms, process.timer(), process.meters());
    this.sessions =
        new ShareSessions(
            groups.shareDefaults().shareGroupMaxShareSessions(), given, process.meters());
    this.data = new ShareDataHandlers(control, given, sessions, process, share::enabled);
    this.members = new ShareGroupHandlers(groups.coordinator(), process.guard(), share::enabled);
    this.offsets =
        new ShareOffsetHandlers(control, groups.coordinator(), process.guard(), share::enabled);
    this.state = new ShareStateHandlers(share.coordinator(), process.guard());
  }

  public ApiTable.Builder addTo(ApiTable.Builder table) {
    data.addTo(table);
    members.addTo(table);
    offsets.addTo(table);
    return state.addTo(table);
  }

  /** Told the id of each connection that has ended. */
  public void gone(String connection) {
    sessions.gone(connection);
  }
}
