package io.strandline.tiering.store.guard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.Payload;
import io.strandline.tiering.store.ScriptedStore;
import io.strandline.tiering.store.StoreException;
import io.strandline.tiering.store.VirtualScheduler;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Deadline, budget and metrics, each by itself. */
class GuardsTest {
  private static final ObjectKey KEY = ObjectKey.of("a");

  private final ScriptedStore inner = new ScriptedStore();
  private final VirtualScheduler time = new VirtualScheduler();
  private final MeterRegistry meters = new SimpleMeterRegistry();

  private static Payload bytes(int length) {
    return Payload.of(ByteBuffer.allocate(length));
  }

  @Test
  void aCallThatTakesTooLongFailsAndIsCancelledWithin() {
    inner.holding();
    var store = new DeadlineObjectStore(inner, new Deadline(Duration.ofSeconds(1), 1000), time);
    CompletableFuture<?> head = store.head(KEY);
    time.advance(Duration.ofMillis(999));
    assertThat(head).isNotDone();
    time.advance(Duration.ofMillis(1));
    assertThatThrownBy(head::join).hasCauseInstanceOf(StoreException.Unavailable.class);
    assertThat(inner.held().get(0)).isCancelled();
  }

  @Test
  void bytesBuyTime() {
    inner.holding();
    var store = new DeadlineObjectStore(inner, new Deadline(Duration.ofSeconds(1), 1000), time);
    CompletableFuture<?> put = store.put(KEY, bytes(5000));
    time.advance(Duration.ofMillis(5999));
    assertThat(put).isNotDone();
    time.advance(Duration.ofMillis(1));
    assertThat(put).isCompletedExceptionally();
  }

  @Test
  void anAnswerInTimeLeavesNoAlarm() {
    var store = new DeadlineObjectStore(inner, Deadline.defaults(), time);
    store.put(KEY, bytes(1)).join();
    inner.holding();
    CompletableFuture<?> head = store.head(KEY);
    inner.answerOne();
    assertThat(head).isCompleted();
    assertThat(time.waiting()).isZero();
  }

  private BudgetedObjectStore budgeted(int calls, long bytes, int queued) {
    Budget.Lane lane = new Budget.Lane(calls, bytes, bytes, queued);
    return new BudgetedObjectStore(inner, new Budget(lane, lane), call -> false, meters);
  }

  @Test
  void noMoreCallsAreUnderWayThanAllowedAndTheyGoInOrder() {
    inner.holding();
    ObjectStore store = budgeted(2, 1000, 10);
    List<CompletableFuture<?>> heads = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      heads.add(store.head(ObjectKey.of("k" + i)));
    }
    assertThat(inner.calls).hasSize(2);
    inner.answerOne();
    assertThat(inner.calls).hasSize(3);
    for (int i = 0; i < 4; i++) {
      inner.answerOne();
    }
    assertThat(heads).allMatch(CompletableFuture::isDone);
    assertThat(inner.calls)
        .extracting(call -> call.subject())
        .containsExactly("k0", "k1", "k2", "k3", "k4");
  }

  @Test
  void bytesAreCountedAndTheLargestCallGoesAlone() {
    inner.holding();
    ObjectStore store = budgeted(9, 100, 10);
    CompletableFuture<?> small = store.put(KEY, bytes(60));
    CompletableFuture<?> second = store.put(KEY, bytes(41));
    assertThat(inner.calls).hasSize(1);
    inner.answerOne();
    assertThat(inner.calls).hasSize(2);
    CompletableFuture<?> huge = store.put(KEY, bytes(5000));
    assertThat(inner.calls).hasSize(2);
    inner.answerOne();
    assertThat(inner.calls).hasSize(3);
    inner.answerOne();
    assertThat(List.of(small, second, huge)).allMatch(CompletableFuture::isDone);
  }

  @Test
  void readsDoNotWaitForWrites() {
    inner.holding();
    ObjectStore store = budgeted(1, 100, 10);
    CompletableFuture<?> write = store.put(KEY, bytes(1));
    CompletableFuture<?> read = store.head(KEY);
    assertThat(inner.calls).hasSize(2);
    assertThat(List.of(write, read)).noneMatch(CompletableFuture::isDone);
  }

  @Test
  void aFullQueueSaysSo() {
    inner.holding();
    ObjectStore store = budgeted(1, 100, 1);
    CompletableFuture<?> first = store.head(KEY);
    CompletableFuture<?> second = store.head(KEY);
    CompletableFuture<?> third = store.head(KEY);
    assertThatThrownBy(third::join).hasCauseInstanceOf(StoreException.Unavailable.class);
    assertThat(first).isNotDone();
    assertThat(second).isNotDone();
  }

  @Test
  void aCancelledCallGivesItsPlaceToTheNext() {
    inner.holding();
    ObjectStore store = budgeted(1, 100, 10);
    CompletableFuture<?> first = store.head(ObjectKey.of("first"));
    store.head(ObjectKey.of("cancelled")).cancel(true);
    CompletableFuture<?> third = store.head(ObjectKey.of("third"));
    first.cancel(true);
    assertThat(inner.calls).extracting(call -> call.subject()).containsExactly("first", "third");
    assertThat(third).isNotDone();
  }

  @Test
  void callsThatCompleteAtOnceDoNotGrowTheStack() {
    ObjectStore store = budgeted(1, 100, 100_000);
    inner.holding();
    List<CompletableFuture<?>> heads = new ArrayList<>();
    heads.add(store.head(KEY));
    for (int i = 0; i < 50_000; i++) {
      heads.add(store.head(KEY));
    }
    inner.releasing();
    inner.answerOne();
    assertThat(heads).allMatch(CompletableFuture::isDone);
  }

  @Test
  void requestsAndBytesAreCountedByOperationAndOutcome() {
    var store = new MeteredObjectStore(inner, meters, time::nanos);
    store.put(KEY, bytes(10)).join();
    store.get(KEY, 100).join();
    store.get(KEY, 2, 3).join();
    assertThatThrownBy(() -> store.putIfAbsent(KEY, bytes(1)).join()).isNotNull();
    inner.failing(new StoreException.Unavailable("away", null));
    assertThatThrownBy(() -> store.head(KEY).join()).isNotNull();
    assertThat(requests("put", "ok")).isEqualTo(1);
    assertThat(requests("get", "ok")).isEqualTo(2);
    assertThat(requests("put-if-absent", "precondition-failed")).isEqualTo(1);
    assertThat(requests("head", "unavailable")).isEqualTo(1);
    assertThat(meters.get("strandline.store.bytes").tag("operation", "get").counter().count())
        .isEqualTo(13);
  }

  private long requests(String operation, String outcome) {
    return meters
        .get("strandline.store.requests")
        .tag("operation", operation)
        .tag("outcome", outcome)
        .timer()
        .count();
  }
}
