package io.strandline.broker.history;

import io.strandline.broker.control.PartitionState;
import io.strandline.broker.control.PeerQueue;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;

/**
 * What is asked of one leader by requests of one kind, which can carry one question of a partition:
 * a partition's different questions take a round trip each. Equal ones that wait are one, whose
 * answer is told to all who asked; one that nobody waits for any more when its turn comes is left
 * out. A reader that asks again after each max wait therefore leaves nothing behind.
 *
 * <p>Threads: any.
 *
 * @param <A> what is asked, by value
 * @param <T> the answer for a partition
 */
final class LeaderLane<A, T> {
  private record Question<A>(TopicIdPartition id, int leaderEpoch, A asked) {}

  /** What is wanted of one partition, by one or more. */
  static final class Wanted<A, T> {
    private final PartitionState state;
    private final Question<A> question;
    private final CompletableFuture<T> answer = new CompletableFuture<>();
    private final Queue<BooleanSupplier> askers = new ConcurrentLinkedQueue<>();

    private Wanted(PartitionState state, Question<A> question) {
      this.state = state;
      this.question = question;
    }

    private Wanted<A, T> by(BooleanSupplier gone) {
      askers.removeIf(BooleanSupplier::getAsBoolean);
      askers.add(gone);
      return this;
    }

    PartitionState state() {
      return state;
    }

    A asked() {
      return question.asked();
    }

    CompletableFuture<T> answer() {
      return answer;
    }

    TopicPartition partition() {
      return state.id().topicPartition();
    }

    private boolean left() {
      return askers.stream().allMatch(BooleanSupplier::getAsBoolean);
    }
  }

  private final Function<List<Wanted<A, T>>, CompletableFuture<?>> send;
  private final PeerQueue<Wanted<A, T>> queue;
  private final Map<Question<A>, Wanted<A, T>> waiting = new ConcurrentHashMap<>();

  /**
   * @param send a request, and tells each of the batch its answer
   */
  LeaderLane(Function<List<Wanted<A, T>>, CompletableFuture<?>> send) {
    this.send = send;
    this.queue = new PeerQueue<>(Wanted::partition, this::next);
  }

  /**
   * The answer of a request that is sent after this.
   *
   * @param gone whether the asker has stopped to wait, for good
   */
  CompletableFuture<T> ask(PartitionState state, A asked, BooleanSupplier gone) {
    Question<A> question = new Question<>(state.id(), state.leaderEpoch(), asked);
    Wanted<A, T> mine = new Wanted<>(state, question);
    Wanted<A, T> waits =
        waiting.compute(question, (same, there) -> (there == null ? mine : there).by(gone));
    if (waits == mine) {
      queue.add(mine);
    }
    return waits.answer;
  }

  private CompletableFuture<?> next(List<Wanted<A, T>> batch) {
    List<Wanted<A, T>> wanted = new ArrayList<>();
    for (Wanted<A, T> one : batch) {
      waiting.remove(one.question); // from here on nobody joins it
      if (one.left()) {
        one.answer.completeExceptionally(new CancellationException("nobody waits for it"));
      } else {
        wanted.add(one);
      }
    }
    if (wanted.isEmpty()) {
      return CompletableFuture.completedFuture(null);
    }
    try {
      return send.apply(wanted);
    } catch (RuntimeException | Error failure) {
      wanted.forEach(one -> one.answer.completeExceptionally(failure));
      throw failure;
    }
  }
}
