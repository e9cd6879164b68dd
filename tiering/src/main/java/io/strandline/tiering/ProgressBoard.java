package io.strandline.tiering;

import io.strandline.tiering.manifest.ManifestView;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.kafka.common.TopicIdPartition;

/** How far each partition is tiered, and who wants to know. Threads: any. */
final class ProgressBoard {
  private record Waiter(
      TopicIdPartition partition, long offset, CompletableFuture<TierProgress> reached) {}

  private final Map<TopicIdPartition, TierProgress> progress = new ConcurrentHashMap<>();
  private final List<TierListener> listeners = new CopyOnWriteArrayList<>();
  private final List<Waiter> waiters = new ArrayList<>();

  void listen(TierListener listener) {
    listeners.add(listener);
  }

  Optional<TierProgress> of(TopicIdPartition partition) {
    return Optional.ofNullable(progress.get(partition));
  }

  void report(ManifestView view) {
    TopicIdPartition partition = view.partition();
    TierProgress now = new TierProgress(view.version(), view.endOffset(), view.leaderEpoch());
    if (now.equals(progress.put(partition, now))) {
      return;
    }
    listeners.forEach(l -> l.onProgress(partition, now));
    takeReached(partition, now).forEach(w -> w.reached.complete(now));
  }

  void forget(TopicIdPartition partition) {
    progress.remove(partition);
  }

  CompletableFuture<TierProgress> await(TopicIdPartition partition, long offset) {
    Waiter waiter = new Waiter(partition, offset, new CompletableFuture<>());
    synchronized (waiters) {
      waiters.add(waiter);
    }
    TierProgress now = progress.get(partition);
    if (now != null) {
      takeReached(partition, now).forEach(w -> w.reached.complete(now));
    }
    return waiter.reached;
  }

  private List<Waiter> takeReached(TopicIdPartition partition, TierProgress now) {
    List<Waiter> reached = new ArrayList<>();
    synchronized (waiters) {
      for (Iterator<Waiter> i = waiters.iterator(); i.hasNext(); ) {
        Waiter w = i.next();
        if (w.partition.equals(partition) && now.tieredEndOffset() >= w.offset) {
          i.remove();
          reached.add(w);
        }
      }
    }
    return reached;
  }
}
