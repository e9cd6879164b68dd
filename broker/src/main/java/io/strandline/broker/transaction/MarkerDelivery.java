package io.strandline.broker.transaction;

import io.strandline.broker.control.ClusterView;
import io.strandline.broker.control.PartitionState;
import io.strandline.broker.transaction.state.Transaction;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.WriteTxnMarkersRequest.TxnMarkerEntry;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the markers of transactions whose end is in the log to all their partitions, again and
 * again until each has its own, and then has it written down that they are complete. Ends early
 * when this broker no longer coordinates the transaction: who does so next begins anew.
 *
 * <p>Threads: any. Nothing waits.
 */
final class MarkerDelivery {
  private static final Logger LOG = LoggerFactory.getLogger(MarkerDelivery.class);
  private static final long RETRY_MS = 100;
  private static final long RETRY_MS_MAX = 1_000;

  /** For so long, some seconds, a leader is elected or comes back, and nobody need know. */
  private static final int TRIES_UNTOLD = 10;

  /** Writes down that all markers of a transaction are written. */
  interface Completion {
    /** Gives NONE, or why it could not be written. */
    CompletableFuture<Errors> complete(String transactionalId, Transaction prepared);
  }

  private final Supplier<ClusterView> view;
  private final Tenures tenures;
  private final IntFunction<Markers> brokers;
  private final Completion completion;
  private final ScheduledExecutorService timer;
  private final Map<String, Delivery> underWay = new ConcurrentHashMap<>();

  /**
   * @param brokers who writes markers into the partitions that a broker leads
   */
  MarkerDelivery(
      Supplier<ClusterView> view,
      Tenures tenures,
      IntFunction<Markers> brokers,
      Completion completion,
      ScheduledExecutorService timer) {
    this.view = view;
    this.tenures = tenures;
    this.brokers = brokers;
    this.completion = completion;
    this.timer = timer;
  }

  /**
   * Begins, unless it has begun: an old protocol's marker that comes twice, late, would end the
   * next transaction.
   *
   * @param partition of {@code __transaction_state}
   */
  void begin(int partition, String transactionalId, Transaction prepared) {
    Delivery fresh = new Delivery(partition, transactionalId, prepared);
    Delivery chosen =
        underWay.compute(
            transactionalId,
            (id, old) -> old != null && old.prepared.equals(prepared) ? old : fresh);
    if (chosen.equals(fresh)) {
      fresh.send(prepared.partitions(), 0);
    }
  }

  /** This broker coordinates nothing of that partition any more. */
  void drop(int partition) {
    underWay.values().removeIf(delivery -> delivery.partition == partition);
  }

  /** Transactions whose markers are on their way. */
  int size() {
    return underWay.size();
  }

  /** Doubles, as for clients that look for a leader. */
  private static long pauseMs(int tries) {
    return Math.min(RETRY_MS_MAX, RETRY_MS << Math.min(tries, 10));
  }

  private final class Delivery {
    private final int partition;
    private final String transactionalId;
    private final Transaction prepared;
    private final Set<TopicPartition> unmarked; // guarded by this
    private boolean marked;

    Delivery(int partition, String transactionalId, Transaction prepared) {
      this.partition = partition;
      this.transactionalId = transactionalId;
      this.prepared = prepared;
      this.unmarked = new HashSet<>(prepared.partitions());
    }

    /** Empty if it is no longer this one's business; it is then forgotten. */
    @SuppressWarnings("ReferenceEquality") // is it this very delivery?
    private OptionalInt coordinatorEpoch() {
      OptionalInt epoch = tenures.epoch(partition);
      if (epoch.isEmpty()) {
        underWay.remove(transactionalId, this);
      }
      return underWay.get(transactionalId) == this ? epoch : OptionalInt.empty();
    }

    /**
     * To the leaders as they are now, each of which answers for itself: who waits for one does not
     * hold up what the others refused.
     *
     * @param tries before this one
     */
    void send(Set<TopicPartition> wanted, int tries) {
      OptionalInt epoch = coordinatorEpoch();
      if (epoch.isEmpty()) {
        return;
      }
      if (tries == TRIES_UNTOLD) {
        LOG.atWarn()
            .addKeyValue("key", transactionalId)
            .addKeyValue("partition", wanted)
            .log("the end of a transaction waits for leaders of its partitions");
      }
      Map<Integer, List<TopicPartition>> byLeader = new HashMap<>();
      settle(leaders(wanted, byLeader));
      byLeader.forEach(
          (leader, led) -> {
            var unused =
                brokers
                    .apply(leader)
                    .write(marker(epoch.getAsInt(), led))
                    .thenAccept(errors -> judge(errors, tries));
          });
    }

    /** Gives those of topics that are gone, which need no marker. */
    private Set<TopicPartition> leaders(
        Set<TopicPartition> wanted, Map<Integer, List<TopicPartition>> byLeader) {
      ClusterView now = view.get();
      Set<TopicPartition> gone = new HashSet<>();
      for (TopicPartition tp : wanted) {
        Optional<PartitionState> state = now.partition(tp);
        if (state.isPresent()) {
          byLeader.computeIfAbsent(state.get().leader(), l -> new ArrayList<>()).add(tp);
        } else {
          gone.add(tp);
        }
      }
      return gone;
    }

    private TxnMarkerEntry marker(int coordinatorEpoch, List<TopicPartition> partitions) {
      return new TxnMarkerEntry(
          prepared.producer().id(),
          prepared.producer().epoch(),
          coordinatorEpoch,
          prepared.result(),
          partitions,
          prepared.version().featureLevel());
    }

    private void judge(Map<TopicPartition, Errors> answer, int tries) {
      Set<TopicPartition> done = new HashSet<>();
      Set<TopicPartition> again = new HashSet<>();
      for (Map.Entry<TopicPartition, Errors> entry : answer.entrySet()) {
        switch (entry.getValue()) {
          case NONE, UNSUPPORTED_FOR_MESSAGE_FORMAT, UNSUPPORTED_VERSION ->
              done.add(entry.getKey());
          case TRANSACTION_COORDINATOR_FENCED -> {
            tell(entry.getKey(), entry.getValue(), "another coordinator ends the transaction");
            underWay.remove(transactionalId, this);
            return;
          }
          case INVALID_PRODUCER_EPOCH -> {
            tell(entry.getKey(), entry.getValue(), "the transaction has ended there already");
            done.add(entry.getKey());
          }
          default -> again.add(entry.getKey());
        }
      }
      settle(done);
      if (!again.isEmpty()) {
        later(() -> send(again, tries + 1), pauseMs(tries));
      }
    }

    /** These have their markers; with the last of them the transaction is complete. */
    private void settle(Set<TopicPartition> done) {
      synchronized (this) {
        unmarked.removeAll(done);
        if (marked || !unmarked.isEmpty()) {
          return;
        }
        marked = true;
      }
      complete();
    }

    private void tell(TopicPartition tp, Errors error, String what) {
      LOG.atWarn()
          .addKeyValue("key", transactionalId)
          .addKeyValue("partition", tp)
          .addKeyValue("state", error)
          .log(what);
    }

    private void complete() {
      if (coordinatorEpoch().isEmpty()) {
        return;
      }
      var unused =
          completion
              .complete(transactionalId, prepared)
              .thenAccept(
                  error -> {
                    if (error == Errors.COORDINATOR_NOT_AVAILABLE) {
                      later(this::complete, RETRY_MS);
                    } else {
                      underWay.remove(transactionalId, this);
                    }
                  });
    }

    private void later(Runnable step, long pauseMs) {
      try {
        var unused = timer.schedule(step, pauseMs, TimeUnit.MILLISECONDS);
      } catch (RejectedExecutionException stopping) {
        underWay.remove(transactionalId, this); // what is in the log is found by the next start
      }
    }
  }
}
