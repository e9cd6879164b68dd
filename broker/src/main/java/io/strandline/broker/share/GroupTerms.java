package io.strandline.broker.share;

import io.strandline.broker.share.window.AckTerms;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.coordinator.group.GroupConfig;
import org.apache.kafka.coordinator.group.GroupConfigManager;
import org.apache.kafka.coordinator.group.ShareGroupAutoOffsetResetStrategy;
import org.apache.kafka.coordinator.group.modern.share.ShareGroupConfig;
import org.apache.kafka.coordinator.group.modern.share.ShareGroupConfigProvider;
import org.apache.kafka.server.storage.log.FetchIsolation;

/** The settings of share groups as they are now: a group's own, else the broker's. */
public final class GroupTerms {
  private final GroupConfigManager groups;
  private final ShareGroupConfigProvider own;
  private final ShareGroupConfig broker;
  private final Time clock;

  /**
   * @param clock of which only what has passed counts: locks hold as long as they are to, however
   *     the wall clock is set
   */
  public GroupTerms(GroupConfigManager groups, ShareGroupConfig broker, Time clock) {
    this.groups = groups;
    this.own = new ShareGroupConfigProvider(groups);
    this.broker = broker;
    this.clock = clock;
  }

  /** For how long a member is given a record. */
  public int lockMs(String group) {
    return own.recordLockDurationMsOrDefault(group, broker.shareGroupRecordLockDurationMs());
  }

  long lockedUntilMs(String group) {
    return nowMs() + lockMs(group);
  }

  int deliveryLimit(String group) {
    return own.deliveryCountLimitOrDefault(group, broker.shareGroupDeliveryCountLimit());
  }

  int inFlightMax(String group) {
    return own.partitionMaxRecordLocksOrDefault(group, broker.shareGroupPartitionMaxRecordLocks());
  }

  AckTerms ackTerms(String group) {
    return new AckTerms(
        deliveryLimit(group), own.isRenewAcknowledgeEnabled(group), lockedUntilMs(group));
  }

  FetchIsolation isolation(String group) {
    IsolationLevel level =
        groups
            .groupConfig(group)
            .map(GroupConfig::shareIsolationLevel)
            .orElseGet(GroupConfig::defaultShareIsolationLevel);
    return level == IsolationLevel.READ_COMMITTED
        ? FetchIsolation.TXN_COMMITTED
        : FetchIsolation.HIGH_WATERMARK;
  }

  ShareGroupAutoOffsetResetStrategy beginning(String group) {
    return groups
        .groupConfig(group)
        .map(GroupConfig::shareAutoOffsetReset)
        .orElseGet(GroupConfig::defaultShareAutoOffsetReset);
  }

  /** By the clock that locks are kept by. */
  long nowMs() {
    return clock.hiResClockMs();
  }
}
