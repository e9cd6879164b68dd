package io.strandline.broker.replica.quota;

import io.strandline.broker.control.ControlPlane;
import java.util.function.Function;
import org.apache.kafka.server.config.QuotaConfig;
import org.apache.kafka.server.quota.QuotaType;
import org.apache.kafka.storage.internals.log.LogConfig;

/**
 * The quotas of both directions (KIP-73).
 *
 * @param leader of what this broker sends to followers
 * @param follower of what it fetches from leaders
 */
public record ReplicationQuotas(ReplicationQuota leader, ReplicationQuota follower) {

  /** Following what is set for the cluster and for this broker. */
  public static ReplicationQuotas of(ControlPlane quorum) {
    QuotaConfig windows = new QuotaConfig(quorum.kafkaConfig());
    int node = quorum.view().nodeId();
    Function<String, Long> rates =
        key ->
            quorum
                .view()
                .changedValue(key)
                .map(rate -> ((Number) rate).longValue())
                .orElse(QuotaConfig.QUOTA_BYTES_PER_SECOND_DEFAULT);
    return new ReplicationQuotas(
        new ThrottledReplicas(
            node,
            config -> config.leaderReplicationThrottledReplicas,
            () -> rates.apply(QuotaConfig.LEADER_REPLICATION_THROTTLED_RATE_CONFIG),
            rate(quorum, windows, QuotaType.LEADER_REPLICATION)),
        new ThrottledReplicas(
            node,
            config -> config.followerReplicationThrottledReplicas,
            () -> rates.apply(QuotaConfig.FOLLOWER_REPLICATION_THROTTLED_RATE_CONFIG),
            rate(quorum, windows, QuotaType.FOLLOWER_REPLICATION)));
  }

  private static ByteRate rate(ControlPlane quorum, QuotaConfig windows, QuotaType type) {
    return new ByteRate(
        type.toString(),
        windows.numReplicationQuotaSamples(),
        windows.replicationQuotaWindowSizeSeconds(),
        quorum.kafkaMetrics(),
        quorum.peers().time());
  }

  /** Nothing is limited. */
  public static ReplicationQuotas none() {
    ReplicationQuota free =
        new ReplicationQuota() {
          @Override
          public boolean covers(LogConfig topic, int partition) {
            return false;
          }

          @Override
          public boolean exceeded() {
            return false;
          }

          @Override
          public void charge(long bytes) {}
        };
    return new ReplicationQuotas(free, free);
  }
}
