package io.strandline.broker.replica;

import io.strandline.broker.control.PartitionState;
import io.strandline.broker.control.isr.IsrChange;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;

/** What a leader asks of the cluster about replicas in sync. Threads: any; no method blocks. */
public interface InSync {
  /**
   * The epoch of a live broker's registration; empty when it is fenced, on its way out, or gone.
   */
  OptionalLong eligible(int broker);

  /** Whether the broker is there at all, fenced or not. */
  boolean alive(int broker);

  /** The epoch of this broker's own registration. */
  long brokerEpoch();

  /**
   * Whether this replica may be copied from its leader: not from one of Apache Kafka's brokers that
   * has part of the history in remote storage of its own, or will.
   */
  default boolean mayFollow(PartitionState state) {
    return true;
  }

  /** Asks the controller; see {@link io.strandline.broker.control.ControlPlane#changeIsr}. */
  CompletableFuture<IsrChange.Answer> change(IsrChange change);
}
