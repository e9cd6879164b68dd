package io.strandline.tiering.store.guard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.tiering.store.DecoratedObjectStore;
import io.strandline.tiering.store.Landing;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.Payload;
import io.strandline.tiering.store.ReadRange;
import io.strandline.tiering.store.ScriptedStore;
import io.strandline.tiering.store.StoreCall;
import io.strandline.tiering.store.StoreException;
import io.strandline.tiering.store.VirtualScheduler;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class RetryingObjectStoreTest {
  private static final ObjectKey KEY = ObjectKey.of("a");
  private static final Retry POLICY =
      new Retry(4, Duration.ofMillis(100), Duration.ofMillis(300), Duration.ofSeconds(10));

  private final ScriptedStore inner = new ScriptedStore();
  private final VirtualScheduler time = new VirtualScheduler();
  private final RetryingObjectStore store =
      new RetryingObjectStore(inner, POLICY, later(Runnable::run), new Random(1), time::nanos);

  private RetryingObjectStore.Later later(Executor executor) {
    return new RetryingObjectStore.Later(time, executor);
  }

  @Test
  void onlyTheFirstTryIsBegunByWhoAsksAndNoneByTheTimer() {
    List<Runnable> handedOn = new ArrayList<>();
    var elsewhere =
        new RetryingObjectStore(inner, POLICY, later(handedOn::add), new Random(1), time::nanos);
    inner.failing(away());
    CompletableFuture<?> head = elsewhere.head(KEY);
    time.advance(Duration.ofSeconds(2));
    assertThat(inner.calls).hasSize(1);
    assertThat(handedOn).hasSize(1);
    handedOn.get(0).run();
    assertThat(inner.calls).hasSize(2);
    assertThat(head).isCompleted();
  }

  @Test
  void aTryThatNobodyBeginsAnyMoreEndsTheCall() {
    Executor closed =
        task -> {
          throw new RejectedExecutionException("closed");
        };
    var closing = new RetryingObjectStore(inner, POLICY, later(closed), new Random(1), time::nanos);
    inner.failing(away());
    CompletableFuture<?> head = closing.head(KEY);
    time.advance(Duration.ofSeconds(2));
    assertThatThrownBy(head::join).hasRootCauseMessage("away");
  }

  private static StoreException away() {
    return new StoreException.Unavailable("away", null);
  }

  @Test
  void triesAgainUntilItSucceeds() {
    inner.failing(away(), away(), away());
    CompletableFuture<?> head = store.head(KEY);
    assertThat(inner.calls).hasSize(1);
    time.advance(Duration.ofSeconds(2));
    assertThat(head)
        .isCompletedWithValueMatching(found -> found.equals(java.util.Optional.empty()));
    assertThat(inner.calls).hasSize(4);
  }

  @Test
  void aTryGivenUpNeverLandsBesideTheNextOne() {
    List<Landing.Try> tries = new ArrayList<>();
    List<CompletableFuture<Landing>> answers = new ArrayList<>();
    ObjectStore late =
        new DecoratedObjectStore(inner) {
          @Override
          protected <T> CompletableFuture<T> around(
              StoreCall call, Supplier<CompletableFuture<T>> action) {
            return action.get();
          }

          @Override
          public CompletableFuture<Landing> get(ReadRange range, Landing landing) {
            tries.add(landing.begin());
            answers.add(new CompletableFuture<>());
            return answers.get(answers.size() - 1);
          }
        };
    var timed = new DeadlineObjectStore(late, new Deadline(Duration.ofSeconds(1), 1000), time);
    var patient =
        new RetryingObjectStore(timed, POLICY, later(Runnable::run), new Random(1), time::nanos);
    ByteBuffer memory = ByteBuffer.allocate(2);
    Landing landing = new Landing(2, (from, piece) -> memory.put(from, piece.get()));
    CompletableFuture<Landing> read = patient.get(new ReadRange(KEY, 0, 2), landing);
    time.advance(Duration.ofSeconds(2));
    assertThat(tries).hasSize(2);
    assertThat(tries.get(1).put(one(7))).isTrue();
    assertThat(tries.get(0).put(one(1))).isFalse();
    assertThat(tries.get(1).put(one(8))).isTrue();
    answers.get(1).complete(landing);
    assertThat(read).isCompleted();
    assertThat(memory).isEqualTo(ByteBuffer.wrap(new byte[] {7, 8}));
  }

  private static ByteBuffer one(int value) {
    return ByteBuffer.wrap(new byte[] {(byte) value});
  }

  @Test
  void givesUpAfterTheLastTry() {
    inner.failing(IntStream.range(0, 9).mapToObj(i -> away()).toArray(StoreException[]::new));
    CompletableFuture<?> head = store.head(KEY);
    time.advance(Duration.ofSeconds(60));
    assertThatThrownBy(head::join).hasCauseInstanceOf(StoreException.Unavailable.class);
    assertThat(inner.calls).hasSize(4);
    assertThat(time.waiting()).isZero();
  }

  @Test
  void beginsNoTryAfterItsTime() {
    Retry patient =
        new Retry(99, Duration.ofSeconds(4), Duration.ofSeconds(4), POLICY.giveUpAfter());
    var impatient =
        new RetryingObjectStore(inner, patient, later(Runnable::run), new Random(1), time::nanos);
    inner.failing(IntStream.range(0, 99).mapToObj(i -> away()).toArray(StoreException[]::new));
    CompletableFuture<?> head = impatient.head(KEY);
    time.advance(Duration.ofSeconds(60));
    assertThat(head).isCompletedExceptionally();
    assertThat(inner.calls.size()).isBetween(2, 5);
  }

  @Test
  void nothingButUnavailableIsTriedAgain() {
    for (StoreException failure :
        List.of(
            new StoreException.NotFound("x"),
            new StoreException.PreconditionFailed("x"),
            new StoreException.OutOfRange("x"),
            new StoreException.Refused("x", null))) {
      inner.failing(failure);
      assertThatThrownBy(() -> store.head(KEY).join()).hasCause(failure);
    }
    assertThat(inner.calls).hasSize(4);
    assertThat(time.waiting()).isZero();
  }

  @Test
  void aCancelledCallIsNotTriedAgain() {
    inner.failing(away());
    store.head(KEY).cancel(true);
    time.advance(Duration.ofSeconds(60));
    assertThat(inner.calls).hasSize(1);
  }

  @Test
  void anEchoOfALostAnswerIsToldAsARefusal() {
    Payload payload = Payload.of(ByteBuffer.allocate(1));
    inner.putIfAbsent(KEY, payload).join();
    inner.failing(away());
    CompletableFuture<?> put = store.putIfAbsent(KEY, payload);
    time.advance(Duration.ofSeconds(1));
    assertThatThrownBy(put::join).hasCauseInstanceOf(StoreException.PreconditionFailed.class);
  }

  @Test
  void delaysDoubleUpToTheirLimitAndAreJittered() {
    Random random = new Random(7);
    for (int i = 0; i < 100; i++) {
      assertThat(POLICY.delay(1, random)).isBetween(Duration.ofMillis(50), Duration.ofMillis(100));
      assertThat(POLICY.delay(2, random)).isBetween(Duration.ofMillis(100), Duration.ofMillis(200));
      assertThat(POLICY.delay(40, random))
          .isBetween(Duration.ofMillis(150), Duration.ofMillis(300));
    }
  }
}
