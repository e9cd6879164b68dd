package io.strandline.broker.share;

import io.micrometer.core.instrument.MeterRegistry;
import io.strandline.broker.partition.Partition;
import io.strandline.broker.partition.Partitions;
import io.strandline.broker.share.window.Acknowledgement;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.server.share.SharePartitionKey;
import org.apache.kafka.server.share.persister.Persister;
import org.jspecify.annotations.Nullable;

/**
 * The share partitions of this broker. One begins when a member first fetches and ends when its
 * group has no sessions here, when the partition's leader changes or its topic is deleted, or when
 * its state cannot be read or is somebody else's.
 */
public final class SharePartitions {
  /** What they need. */
  record Surroundings(
      Persister persister, GroupTerms terms, ScheduledExecutorService timer, ShareMeters meters) {}

  private final Partitions partitions;
  private final Surroundings services;
  private final ConcurrentHashMap<SharePartitionKey, SharePartition> all =
      new ConcurrentHashMap<>();

  public SharePartitions(
      Partitions partitions,
      Persister persister,
      GroupTerms terms,
      ScheduledExecutorService timer,
      MeterRegistry meters) {
    this.partitions = partitions;
    ShareMeters counts = new ShareMeters(meters);
    this.services = new Surroundings(persister, terms, timer, counts);
    counts.gauge("partitions", all::size);
    counts.gauge(
        "in.flight", () -> all.values().stream().mapToLong(SharePartition::inFlight).sum());
  }

  /** On which terms records are given. */
  public GroupTerms terms() {
    return services.terms();
  }

  /**
   * The partition as the group has it; perhaps still loading.
   *
   * @throws org.apache.kafka.common.errors.ApiException as {@link Partitions#leaderOrThrow} does
   */
  public SharePartition get(String group, TopicIdPartition id) {
    Partition led = partitions.leaderOrThrow(id);
    SharePartitionKey key = key(group, id);
    SharePartition found = all.get(key);
    if (found != null && found.current(led)) {
      return found;
    }
    CompletableFuture<Void> before = new CompletableFuture<>();
    SharePartition[] begun = new SharePartition[1];
    SharePartition now =
        all.compute(
            key,
            (k, there) -> {
              if (there != null && there.current(led)) {
                return there;
              }
              if (there != null) {
                there.retire();
              }
              begun[0] = new SharePartition(key, led, services, this::end);
              chain(there, before);
              return begun[0];
            });
    if (begun[0] != null) {
      begun[0].followLeader();
      var unused = before.thenRun(begun[0]::load);
    }
    return now;
  }

  /** By the topic's id alone: a topic that is deleted has lost its name. */
  private static SharePartitionKey key(String group, TopicIdPartition id) {
    return SharePartitionKey.getInstance(group, id.topicId(), id.partition());
  }

  /** What the one before has under way is written down before its successor reads. */
  private static void chain(@Nullable SharePartition there, CompletableFuture<Void> before) {
    if (there == null) {
      before.complete(null);
    } else {
      var unused = there.idle().thenRun(() -> before.complete(null));
    }
  }

  /**
   * Completes when what the member says is written down.
   *
   * @throws org.apache.kafka.common.errors.ApiException UNKNOWN_TOPIC_OR_PARTITION when no member
   *     of the group was given anything of it
   */
  public CompletableFuture<Void> acknowledge(
      String group, TopicIdPartition id, String member, List<Acknowledgement> said) {
    SharePartition found = all.get(key(group, id));
    long records = said.stream().mapToLong(one -> one.last() - one.first() + 1).sum();
    CompletableFuture<Void> done;
    try {
      partitions.leaderOrThrow(id);
      if (found == null) {
        throw new UnknownTopicOrPartitionException(id + " was not given to anybody");
      }
      done = found.loaded().thenCompose(loaded -> found.acknowledge(member, said));
    } catch (RuntimeException refused) {
      done = CompletableFuture.failedFuture(refused);
    }
    return done.whenComplete(
        (ok, failure) -> {
          if (failure == null) {
            services.meters().acknowledged(records);
          } else {
            services.meters().refused(records);
          }
        });
  }

  /** Takes back all that the member holds. */
  public void release(String group, String member) {
    for (SharePartition one : all.values()) {
      if (one.key().groupId().equals(group)) {
        var unused =
            one.loaded()
                .thenCompose(loaded -> one.release(member))
                .exceptionally(failure -> null); // the locks run out
      }
    }
  }

  /** Nobody of the group is here any more. */
  public void forget(String group) {
    for (SharePartition one : all.values()) {
      if (one.key().groupId().equals(group)) {
        end(one);
      }
    }
  }

  /**
   * A member fetches this no more. Kept while others may, unless it is not led here any more, of
   * which a partition that waits to be deleted need not have heard.
   */
  public void left(String group, TopicIdPartition id) {
    SharePartition found = all.get(key(group, id));
    if (found != null && !led(found)) {
      end(found);
    }
  }

  private boolean led(SharePartition one) {
    try {
      return one.current(partitions.leaderOrThrow(one.partition().id()));
    } catch (ApiException elsewhere) {
      return false;
    }
  }

  private void end(SharePartition one) {
    one.retire();
    var unused = one.idle().thenRun(() -> all.remove(one.key(), one));
  }
}
