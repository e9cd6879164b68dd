package io.strandline.broker.transaction;

import io.strandline.broker.control.ClusterView;
import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.control.PartitionState;
import io.strandline.broker.transaction.state.BumpingEnd;
import io.strandline.broker.transaction.state.Fence;
import io.strandline.broker.transaction.state.Initialization;
import io.strandline.broker.transaction.state.MarkedEnd;
import io.strandline.broker.transaction.state.Membership;
import io.strandline.broker.transaction.state.PlainEnd;
import io.strandline.broker.transaction.state.ProducerIdentity;
import io.strandline.broker.transaction.state.Transaction;
import io.strandline.broker.transaction.state.Verdict;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.requests.TransactionResult;
import org.apache.kafka.common.utils.ProducerIdAndEpoch;
import org.apache.kafka.common.utils.Utils;
import org.apache.kafka.coordinator.common.runtime.CoordinatorResult;
import org.apache.kafka.coordinator.common.runtime.CoordinatorRuntime;
import org.apache.kafka.coordinator.transaction.TransactionStateManagerConfig;
import org.apache.kafka.server.common.TransactionVersion;
import org.jspecify.annotations.Nullable;

/**
 * What can be asked of the transactional ids whose partitions of {@code __transaction_state} this
 * broker leads. Answers come when what was decided is committed. A transactional id led elsewhere
 * is refused with NOT_COORDINATOR, one whose partition is being read with
 * COORDINATOR_LOAD_IN_PROGRESS.
 *
 * <p>Threads: any; what follows a future must not block.
 */
public final class TransactionCoordinator {
  private static final long NO_ID = RecordBatch.NO_PRODUCER_ID;

  private final ControlPlane control;
  private final CoordinatorRuntime<TransactionShard, TransactionRecord> runtime;
  private final TransactionStateManagerConfig config;
  private final int partitionsConfigured;
  private final InstantSource clock;
  private volatile @Nullable MarkerDelivery delivery;

  TransactionCoordinator(
      ControlPlane control,
      CoordinatorRuntime<TransactionShard, TransactionRecord> runtime,
      int partitionsConfigured,
      InstantSource clock) {
    this.control = control;
    this.runtime = runtime;
    this.config = new TransactionStateManagerConfig(control.kafkaConfig());
    this.partitionsConfigured = partitionsConfigured;
    this.clock = clock;
  }

  /** Ends of transactions are delivered by this from now on. */
  void deliverBy(MarkerDelivery markers) {
    delivery = markers;
  }

  /** What the producer is told: id and epoch are -1 with an error, and where the API has none. */
  public record Answer(Errors error, long producerId, short epoch) {
    static Answer of(Errors error) {
      return new Answer(error, NO_ID, RecordBatch.NO_PRODUCER_EPOCH);
    }

    static Answer of(ProducerIdentity producer) {
      return new Answer(Errors.NONE, producer.id(), producer.epoch());
    }
  }

  /** The partition of {@code __transaction_state} that a transactional id belongs to. */
  public int partitionFor(String transactionalId) {
    return Utils.abs(transactionalId.hashCode())
        % control
            .view()
            .partitionCount(Topic.TRANSACTION_STATE_TOPIC_NAME)
            .orElse(partitionsConfigured);
  }

  /** The broker that coordinates a transactional id, if another does. */
  OptionalInt elsewhere(String transactionalId) {
    ClusterView now = control.view();
    Optional<PartitionState> state = now.partition(partition(transactionalId));
    return state.isEmpty() || state.get().leader() < 0 || state.get().leader() == now.nodeId()
        ? OptionalInt.empty()
        : OptionalInt.of(state.get().leader());
  }

  // ---- what producers ask

  /**
   * InitProducerId.
   *
   * @param expected what the producer believes to have; empty for one that begins
   * @param twoPhase whether an outside coordinator ends its transactions, which have no time-out
   */
  public CompletableFuture<Answer> init(
      String transactionalId,
      Optional<ProducerIdAndEpoch> expected,
      int timeoutMs,
      boolean twoPhase) {
    if (transactionalId.isEmpty()) {
      return refused(Errors.INVALID_REQUEST);
    }
    if (twoPhase && !config.transaction2PCEnabled()) {
      return refused(Errors.TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
    }
    if (!twoPhase && (timeoutMs <= 0 || timeoutMs > config.transactionMaxTimeoutMs())) {
      return refused(Errors.INVALID_TRANSACTION_TIMEOUT);
    }
    Initialization asked =
        new Initialization(
            expected, twoPhase ? Integer.MAX_VALUE : timeoutMs, version(), clock.millis());
    return change("init", transactionalId, asked::decide)
        .thenApply(
            verdict ->
                verdict instanceof Verdict.Changed changed && changed.next().ending()
                    ? Answer.of(Errors.CONCURRENT_TRANSACTIONS) // the one before is aborted first
                    : answer(verdict));
  }

  /** AddPartitionsToTxn and AddOffsetsToTxn. */
  public CompletableFuture<Errors> add(
      TransactionalProducer producer, Set<TopicPartition> partitions, TransactionVersion client) {
    if (producer.transactionalId().isEmpty()) {
      return CompletableFuture.completedFuture(Errors.INVALID_REQUEST);
    }
    Membership asked = new Membership(producer.identity(), partitions);
    long nowMs = clock.millis();
    return change("add", producer.transactionalId(), (now, id) -> asked.add(now, client, nowMs))
        .thenApply(verdict -> answer(verdict).error());
  }

  /** Which of the partitions are part of the transaction; an error for each. */
  public CompletableFuture<Map<TopicPartition, Errors>> verify(
      TransactionalProducer producer, Set<TopicPartition> partitions) {
    Membership asked = new Membership(producer.identity(), partitions);
    if (producer.transactionalId().isEmpty()) {
      return CompletableFuture.completedFuture(all(partitions, Errors.INVALID_REQUEST));
    }
    return runtime
        .<Map<TopicPartition, Errors>>scheduleReadOperation(
            "verify",
            partition(producer.transactionalId()),
            (shard, offset) -> asked.verify(shard.committed(producer.transactionalId(), offset)))
        .exceptionally(failure -> all(partitions, error(failure)));
  }

  private static Map<TopicPartition, Errors> all(Set<TopicPartition> partitions, Errors error) {
    return partitions.stream()
        .collect(Collectors.toMap(partition -> partition, partition -> error));
  }

  /**
   * EndTxn.
   *
   * @param client the version of the client's protocol; from 2 on the answer has the id and epoch
   *     of the next transaction
   */
  public CompletableFuture<Answer> end(
      TransactionalProducer producer, TransactionResult result, TransactionVersion client) {
    if (producer.transactionalId().isEmpty()) {
      return refused(Errors.INVALID_REQUEST);
    }
    long nowMs = clock.millis();
    ProducerIdAndEpoch identity = producer.identity();
    if (!client.supportsEpochBump()) {
      PlainEnd asked = new PlainEnd(identity, result, nowMs);
      return change("end", producer.transactionalId(), (now, id) -> asked.decide(now))
          .thenApply(verdict -> Answer.of(answer(verdict).error()));
    }
    BumpingEnd asked = new BumpingEnd(result, nowMs);
    return change("end", producer.transactionalId(), (now, id) -> asked.decide(now, identity, id))
        .thenApply(
            verdict ->
                verdict instanceof Verdict.Changed changed
                    ? Answer.of(changed.next().completed(nowMs).producer())
                    : answer(verdict));
  }

  // ---- what operators ask

  /** A transaction as it is committed; empty if the transactional id is unknown. */
  public CompletableFuture<Optional<Transaction>> describe(String transactionalId) {
    return runtime.scheduleReadOperation(
        "describe",
        partition(transactionalId),
        (shard, offset) -> Optional.ofNullable(shard.committed(transactionalId, offset)));
  }

  /** All transactions led here that are asked for, a map for each partition. */
  public List<CompletableFuture<Map<String, Transaction>>> list(Predicate<Transaction> which) {
    return runtime.scheduleReadAllOperation(
        "list", (shard, offset) -> shard.committed(which, offset));
  }

  // ---- what time asks

  /**
   * Aborts what has been open for longer than its producer allowed, and delivers the markers of
   * what ended unnoticed, because its record was committed after nobody waited for it any more.
   */
  void endOverdue() {
    long nowMs = clock.millis();
    for (var led : list(transaction -> transaction.timedOut(nowMs) || transaction.ending())) {
      var unused =
          led.thenAccept(
              found ->
                  found.forEach(
                      (id, seen) -> {
                        if (seen.ending()) {
                          resume(id, seen);
                        } else {
                          abort(id, seen);
                        }
                      }));
    }
  }

  private void abort(String transactionalId, Transaction seen) {
    Fence fence = new Fence(version(), clock.millis());
    Rule rule = (now, freshId) -> fence.decide(now, seen.producer(), freshId);
    var unused = change("time-out", transactionalId, rule);
  }

  /** Asked of the shard, so that it cannot be completed meanwhile. */
  private void resume(String transactionalId, Transaction seen) {
    var unused =
        runtime.<Optional<Transaction>>scheduleWriteOperation(
            "resume",
            partition(transactionalId),
            shard -> {
              if (seen.equals(shard.newest(transactionalId))) {
                deliver(transactionalId, seen);
              }
              return new CoordinatorResult<>(List.of(), Optional.of(seen));
            });
  }

  /** Forgets transactional ids that nobody has used for long. */
  void forgetIdle() {
    long nowMs = clock.millis();
    var unused =
        runtime.scheduleWriteAllOperation(
            "forget",
            shard -> {
              var gone = shard.forgetIdle(nowMs, config.transactionalIdExpirationMs());
              return new CoordinatorResult<>(gone, Optional.empty(), null, true, false);
            });
  }

  /** Writes down that all markers are written; see {@link MarkerDelivery.Completion}. */
  CompletableFuture<Errors> complete(String transactionalId, Transaction prepared) {
    MarkedEnd asked = new MarkedEnd(prepared, clock.millis());
    Rule rule = (now, freshId) -> asked.decide(now);
    return change("complete", transactionalId, rule).thenApply(verdict -> answer(verdict).error());
  }

  // ---- decide, write, answer

  /** What is decided of a transactional id as it is written last, given an id to use or -1. */
  private interface Rule {
    Verdict decide(@Nullable Transaction now, long freshId);
  }

  private CompletableFuture<Verdict> change(String name, String transactionalId, Rule rule) {
    return change(name, transactionalId, rule, NO_ID)
        .thenCompose(
            verdict ->
                verdict instanceof Verdict.NeedsProducerId
                    ? control
                        .nextProducerId()
                        .thenCompose(fresh -> change(name, transactionalId, rule, fresh))
                    : CompletableFuture.completedFuture(verdict))
        .exceptionally(failure -> Verdict.refused(error(failure)))
        .thenApply(verdict -> delivered(transactionalId, verdict));
  }

  private CompletableFuture<Verdict> change(
      String name, String transactionalId, Rule rule, long freshId) {
    return runtime.scheduleWriteOperation(
        name,
        partition(transactionalId),
        shard -> {
          Verdict verdict = rule.decide(shard.newest(transactionalId), freshId);
          List<TransactionRecord> records =
              verdict instanceof Verdict.Changed changed
                  ? List.of(new TransactionRecord(transactionalId, changed.next()))
                  : List.of();
          return new CoordinatorResult<>(records, verdict);
        });
  }

  private Verdict delivered(String transactionalId, Verdict verdict) {
    if (verdict instanceof Verdict.Changed changed && changed.next().ending()) {
      deliver(transactionalId, changed.next());
    }
    return verdict;
  }

  private void deliver(String transactionalId, Transaction prepared) {
    MarkerDelivery markers = delivery;
    if (markers != null) {
      markers.begin(partitionFor(transactionalId), transactionalId, prepared);
    }
  }

  private TopicPartition partition(String transactionalId) {
    return new TopicPartition(Topic.TRANSACTION_STATE_TOPIC_NAME, partitionFor(transactionalId));
  }

  private TransactionVersion version() {
    return TransactionHost.version(control);
  }

  private static CompletableFuture<Answer> refused(Errors error) {
    return CompletableFuture.completedFuture(Answer.of(error));
  }

  private static Answer answer(Verdict verdict) {
    if (verdict instanceof Verdict.Refused refused) {
      return Answer.of(refused.error());
    }
    if (verdict instanceof Verdict.Granted granted) {
      return Answer.of(granted.now().producer());
    }
    return verdict instanceof Verdict.Changed changed
        ? Answer.of(changed.next().producer())
        : Answer.of(Errors.COORDINATOR_LOAD_IN_PROGRESS);
  }

  /** As Apache Kafka tells failures of its log to clients of the coordinator. */
  static Errors error(Throwable failure) {
    Throwable cause = failure;
    while (cause instanceof CompletionException && cause.getCause() != null) {
      cause = cause.getCause();
    }
    Errors error = Errors.forException(cause);
    return switch (error) {
      case UNKNOWN_TOPIC_OR_PARTITION,
          NOT_ENOUGH_REPLICAS,
          NOT_ENOUGH_REPLICAS_AFTER_APPEND,
          REQUEST_TIMED_OUT ->
          Errors.COORDINATOR_NOT_AVAILABLE;
      case NOT_LEADER_OR_FOLLOWER, KAFKA_STORAGE_ERROR -> Errors.NOT_COORDINATOR;
      case MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE -> Errors.UNKNOWN_SERVER_ERROR;
      default -> error;
    };
  }
}
