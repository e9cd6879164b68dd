package io.strandline.broker.replica;

import io.strandline.broker.replica.arrival.Newcomers;
import io.strandline.broker.replica.quota.ReplicationQuotas;

/**
 * What all partitions of this broker share about replication.
 *
 * @param inSync what leaders ask of the cluster
 * @param times when followers fetched from here last
 * @param hopes partitions where one has caught up that is not in the ISR yet
 * @param stragglers replicas that begin anew at the tier's end
 * @param fetchers which copy from other leaders
 * @param quotas of what is sent and fetched
 * @param newcomers followers of partitions that are led here since just now
 */
public record Replicas(
    InSync inSync,
    FetchTimes times,
    Hopes hopes,
    Stragglers stragglers,
    ReplicaSettings settings,
    Fetchers fetchers,
    ReplicationQuotas quotas,
    Newcomers newcomers) {
  /** Without quotas. */
  public Replicas(InSync inSync, ReplicaSettings settings, Fetchers fetchers) {
    this(inSync, settings, fetchers, ReplicationQuotas.none());
  }

  public Replicas(
      InSync inSync, ReplicaSettings settings, Fetchers fetchers, ReplicationQuotas quotas) {
    this(
        inSync,
        new FetchTimes(fetchers.clock()),
        new Hopes(),
        new Stragglers(),
        settings,
        fetchers,
        quotas,
        new Newcomers());
  }
}
