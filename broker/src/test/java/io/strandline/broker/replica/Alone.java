package io.strandline.broker.replica;

import io.strandline.broker.control.PartitionState;
import io.strandline.broker.control.isr.IsrChange;
import java.time.InstantSource;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;
import org.apache.kafka.common.errors.OperationNotAttemptedException;

/** A broker without others. */
public final class Alone {
  private Alone() {}

  /** Of a broker that knows no other: it follows nobody, and lets nobody in. */
  public static Replicas replicas(InstantSource clock) {
    ReplicaSettings settings = ReplicaSettings.defaults();
    Fetchers none =
        new Fetchers(
            (leader, index) -> {
              throw new IllegalStateException("broker " + leader + " is not known");
            },
            Fetcher::run,
            settings,
            clock);
    none.close();
    return replicas(none, state -> true);
  }

  /** Of one that lets nobody in, and may follow where it is told so. */
  public static Replicas replicas(Fetchers fetchers, Predicate<PartitionState> mayFollow) {
    InSync nobody =
        new InSync() {
          @Override
          public boolean mayFollow(PartitionState state) {
            return mayFollow.test(state);
          }

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
    return new Replicas(nobody, ReplicaSettings.defaults(), fetchers);
  }
}
