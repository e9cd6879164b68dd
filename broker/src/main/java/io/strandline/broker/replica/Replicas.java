package io.strandline.broker.replica;

/**
 * What all partitions of this broker share about replication.
 *
 * @param inSync what leaders ask of the cluster
 * @param times when followers fetched from here last
 * @param hopes partitions where one has caught up that is not in the ISR yet
 * @param stragglers replicas that begin anew at the tier's end
 * @param fetchers which copy from other leaders
 */
public record Replicas(
    InSync inSync,
    FetchTimes times,
    Hopes hopes,
    Stragglers stragglers,
    ReplicaSettings settings,
    Fetchers fetchers) {
  public Replicas(InSync inSync, ReplicaSettings settings, Fetchers fetchers) {
    this(inSync, new FetchTimes(), new Hopes(), new Stragglers(), settings, fetchers);
  }
}
