package io.strandline.broker.replica;

import io.strandline.broker.control.isr.IsrChange;
import java.time.InstantSource;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import org.apache.kafka.common.errors.OperationNotAttemptedException;

/**
 * What all partitions of this broker share about replication.
 *
 * @param inSync what leaders ask of the cluster
 * @param times when followers fetched from here last
 * @param hopes partitions where one has caught up that is not in the ISR yet
 * @param fetchers which copy from other leaders
 */
public record Replicas(
    InSync inSync, FetchTimes times, Hopes hopes, ReplicaSettings settings, Fetchers fetchers) {
  public Replicas(InSync inSync, ReplicaSettings settings, Fetchers fetchers) {
    this(inSync, new FetchTimes(), new Hopes(), settings, fetchers);
  }

  /** Of a broker that knows no other: it follows nobody, and lets nobody in. */
  public static Replicas alone() {
    InSync nobody =
        new InSync() {
          @Override
          public OptionalLong eligible(int broker) {
            return OptionalLong.empty();
          }

          @Override
          public boolean alive(int broker) {
            return false;
          }

          @Override
          public long brokerEpoch() {
            return -1;
          }

          @Override
          public CompletableFuture<IsrChange.Answer> change(IsrChange change) {
            return CompletableFuture.failedFuture(new OperationNotAttemptedException("alone"));
          }
        };
    ReplicaSettings settings = ReplicaSettings.defaults();
    Fetchers none =
        new Fetchers(
            (leader, index) -> {
              throw new IllegalStateException("broker " + leader + " is not known");
            },
            Executors.newFixedThreadPool(1),
            settings,
            InstantSource.system());
    none.close();
    return new Replicas(nobody, settings, none);
  }
}
