package io.strandline.broker.replica.quota;

import org.apache.kafka.storage.internals.log.LogConfig;

/**
 * Bytes a second that the chosen replicas of this broker may use in one direction. What replicas in
 * sync use is charged too, but they are never held up: whoever asks sees to that (KIP-73).
 *
 * <p>Threads: any; nothing blocks.
 */
public interface ReplicationQuota {
  /** Whether a replica here is one of those that its topic has chosen. */
  boolean covers(LogConfig topic, int partition);

  /** Whether more was used of late than is allowed. */
  boolean exceeded();

  /** So many bytes of replicas that are covered went over the network. */
  void charge(long bytes);
}
