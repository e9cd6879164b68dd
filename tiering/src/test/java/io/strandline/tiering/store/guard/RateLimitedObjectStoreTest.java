package io.strandline.tiering.store.guard;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.Payload;
import io.strandline.tiering.store.ScriptedStore;
import io.strandline.tiering.store.StoreCall;
import io.strandline.tiering.store.VirtualScheduler;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Limits of bytes a second, in a time that moves when a test says so. */
class RateLimitedObjectStoreTest {
  private static final int MIB = 1 << 20;
  private static final ObjectKey BIG = ObjectKey.of("a/1/segment");
  private static final ObjectKey OTHER = ObjectKey.of("b/1/segment");
  private static final ObjectKey HEAD = ObjectKey.of("a/1/manifest/head");

  private final ScriptedStore inner = new ScriptedStore();
  private final VirtualScheduler time = new VirtualScheduler();
  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private final AtomicLong uploads = new AtomicLong(10L * MIB);
  private final AtomicLong downloads = new AtomicLong(10L * MIB);
  private final ObjectStore store =
      new RateLimitedObjectStore(
          inner, new Rates(uploads::get, downloads::get), time, time::nanos, meters);

  RateLimitedObjectStoreTest() {
    inner.put(BIG, Payload.of(ByteBuffer.allocate(40 * MIB))).join();
    inner.put(OTHER, Payload.of(ByteBuffer.allocate(40 * MIB))).join();
    inner.put(HEAD, Payload.of(ByteBuffer.allocate(50_000))).join();
    inner.calls.clear();
  }

  private long movedBytes() {
    return inner.calls.stream().mapToLong(StoreCall::bytes).sum();
  }

  @Test
  void overAnyTimeNoMoreIsReadThanTheRateASecondsWorthAndOneCall() {
    Random random = new Random(7);
    List<CompletableFuture<?>> reads = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      reads.add(store.get(BIG, 0, MIB / 2 + random.nextInt(4 * MIB)));
    }
    long allBytes = 0;
    for (int tenths = 0; tenths < 600; tenths++) {
      assertThat(movedBytes()).isLessThanOrEqualTo(tenths * MIB + 10L * MIB + 5L * MIB);
      allBytes = movedBytes();
      time.advance(Duration.ofMillis(100));
    }
    assertThat(reads).allMatch(CompletableFuture::isDone);
    assertThat(allBytes).isGreaterThan(400L * MIB);
    assertThat(time.waiting()).isZero();
  }

  @Test
  void theRateIsUsedWhole() {
    for (int i = 0; i < 100; i++) {
      CompletableFuture<?> unused = store.get(BIG, 0, 4 * MIB);
    }
    time.advance(Duration.ofSeconds(20));
    assertThat(movedBytes()).isGreaterThanOrEqualTo(210L * MIB);
  }

  @Test
  void directionsHaveLimitsOfTheirOwn() {
    store.get(BIG, 0, 40 * MIB).join();
    store.get(BIG, 0, 1).join(); // small
    CompletableFuture<?> read = store.get(BIG, 0, MIB);
    CompletableFuture<?> put = store.put(ObjectKey.of("c/x"), Payload.of(bytes(20 * MIB)));
    CompletableFuture<?> second = store.put(ObjectKey.of("c/y"), Payload.of(bytes(MIB)));
    assertThat(read).isNotDone();
    assertThat(put).isCompleted();
    assertThat(second).isNotDone();
    assertThat(waiting("reads")).isEqualTo(1);
    assertThat(waiting("writes")).isEqualTo(1);
    time.advance(Duration.ofMillis(1001));
    assertThat(second).isCompleted();
    assertThat(read).isNotDone();
    time.advance(Duration.ofMillis(2000));
    assertThat(read).isCompleted();
  }

  @Test
  void manifestsAreReadAndWrittenInTheMiddleOfADebt() {
    store.get(BIG, 0, 40 * MIB).join();
    store.put(ObjectKey.of("c/x"), Payload.of(bytes(40 * MIB))).join();
    CompletableFuture<?> large = store.get(BIG, 0, 4 * MIB);
    assertThat(large).isNotDone();
    assertThat(store.get(HEAD, MIB)).isCompleted();
    assertThat(store.get(HEAD, 0, 50_000)).isCompleted();
    assertThat(store.head(HEAD)).isCompleted();
    assertThat(store.putIfAbsent(ObjectKey.of("a/1/manifest/v"), Payload.of(bytes(1000))))
        .isCompleted();
    assertThat(large).isNotDone();
  }

  @Test
  void whatSmallCallsMoveTheLargeOnesWaitFor() {
    store.get(BIG, 0, 10 * MIB).join(); // what was saved up
    for (int i = 0; i < 40; i++) {
      store.get(BIG, 0, 256 << 10).join();
    }
    CompletableFuture<?> large = store.get(BIG, 0, MIB);
    time.advance(Duration.ofMillis(990));
    assertThat(large).isNotDone();
    time.advance(Duration.ofMillis(20));
    assertThat(large).isCompleted();
  }

  @Test
  void smallCallsAloneKeepToTheRateToo() {
    for (int i = 0; i < 1000; i++) {
      CompletableFuture<?> unused = store.get(BIG, 0, 256 << 10);
    }
    time.advance(Duration.ofSeconds(10));
    assertThat(movedBytes()).isBetween(109L * MIB, 111L * MIB);
  }

  @Test
  void oneFlowOfManyCallsDoesNotHoldUpAnother() {
    store.get(BIG, 0, 11 * MIB).join();
    List<CompletableFuture<?>> many = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      many.add(store.get(BIG, 0, 4 * MIB));
    }
    List<CompletableFuture<?>> few = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      few.add(store.get(OTHER, 0, 2 * MIB));
    }
    time.advance(Duration.ofSeconds(3)); // 30 MiB: half for either
    assertThat(few).allMatch(CompletableFuture::isDone);
    assertThat(many.stream().filter(CompletableFuture::isDone).count()).isBetween(3L, 6L);
  }

  @Test
  void aFlowThatHasJustComeIsNotPaidForThePast() {
    for (int i = 0; i < 50; i++) {
      CompletableFuture<?> unused = store.get(BIG, 0, 4 * MIB);
    }
    time.advance(Duration.ofSeconds(10));
    long before = reads(BIG);
    for (int i = 0; i < 50; i++) {
      CompletableFuture<?> unused = store.get(OTHER, 0, 4 * MIB);
    }
    time.advance(Duration.ofSeconds(4));
    assertThat(reads(BIG) - before).isBetween(4L, 6L);
    assertThat(reads(OTHER)).isBetween(4L, 6L);
  }

  private long reads(ObjectKey key) {
    return inner.calls.stream().filter(call -> call.subject().equals(key.value())).count();
  }

  @Test
  void aCallThatWasGivenUpMovesNothing() {
    store.get(BIG, 0, 20 * MIB).join();
    CompletableFuture<?> first = store.get(BIG, 0, 40 * MIB);
    CompletableFuture<?> second = store.get(BIG, 0, MIB);
    first.cancel(true);
    time.advance(Duration.ofMillis(1001));
    assertThat(second).isCompleted();
    assertThat(movedBytes()).isEqualTo(21L * MIB);
  }

  @Test
  void aLimitCanBeRaisedAndLiftedWhileCallsWait() {
    downloads.set(1000);
    store.get(BIG, 0, 40 * MIB).join();
    CompletableFuture<?> read = store.get(BIG, 0, MIB);
    time.advance(Duration.ofSeconds(60));
    assertThat(read).isNotDone();
    downloads.set(Long.MAX_VALUE);
    time.advance(Duration.ofSeconds(1));
    assertThat(read).isCompleted();
    assertThat(store.get(BIG, 0, 40 * MIB)).isCompleted();
  }

  private double waiting(String lane) {
    return meters.get("strandline.store.rate.waiting").tag("lane", lane).gauge().value();
  }

  private static ByteBuffer bytes(int length) {
    return ByteBuffer.allocate(length);
  }
}
