package io.strandline.tiering.store.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.Payload;
import io.strandline.tiering.store.StoreException;
import io.strandline.tiering.store.VirtualScheduler;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class FaultyObjectStoreTest {
  private static final ObjectKey KEY = ObjectKey.of("a");
  private static final Payload PAYLOAD = Payload.of(ByteBuffer.allocate(3));

  private final MemoryObjectStore memory =
      new MemoryObjectStore(Runnable::run, InstantSource.system());
  private final VirtualScheduler time = new VirtualScheduler();

  private FaultyObjectStore with(Fault fault) {
    return new FaultyObjectStore(memory, call -> fault, time);
  }

  private boolean there() {
    return memory.head(KEY).join().isPresent();
  }

  @Test
  void aLostRequestIsNeverSeen() {
    var put = with(Fault.of(Fault.Kind.LOST_REQUEST)).put(KEY, PAYLOAD);
    assertThatThrownBy(put::join).hasCauseInstanceOf(StoreException.Unavailable.class);
    assertThat(there()).isFalse();
  }

  @Test
  void aLostAnswerWasASuccess() {
    var put = with(Fault.of(Fault.Kind.LOST_ANSWER)).put(KEY, PAYLOAD);
    assertThatThrownBy(put::join).hasCauseInstanceOf(StoreException.Unavailable.class);
    assertThat(there()).isTrue();
  }

  @Test
  void aLateRequestLandsAfterItsCallerGaveUp() {
    Fault late = new Fault(Fault.Kind.LATE_REQUEST, Duration.ofSeconds(5), Duration.ZERO);
    var put = with(late).put(KEY, PAYLOAD);
    assertThat(put).isCompletedExceptionally();
    assertThat(there()).isFalse();
    time.advance(Duration.ofSeconds(5));
    assertThat(there()).isTrue();
  }

  @Test
  void aRepeatedConditionalWriteIsRefusedByItsOwnEcho() {
    var put = with(Fault.of(Fault.Kind.REPEATED)).putIfAbsent(KEY, PAYLOAD);
    assertThatThrownBy(put::join).hasCauseInstanceOf(StoreException.PreconditionFailed.class);
    assertThat(there()).isTrue();
  }

  @Test
  void delaysAreTheSchedulers() {
    Fault slow = new Fault(Fault.Kind.NONE, Duration.ofSeconds(1), Duration.ofSeconds(1));
    CompletableFuture<?> put = with(slow).put(KEY, PAYLOAD);
    time.advance(Duration.ofSeconds(1));
    assertThat(there()).isTrue();
    assertThat(put).isNotDone();
    time.advance(Duration.ofSeconds(1));
    assertThat(put).isCompleted();
  }

  @Test
  void oneSeedGivesOneSequence() {
    assertThat(faults(42)).isEqualTo(faults(42)).isNotEqualTo(faults(43));
    assertThat(faults(42)).extracting(Fault::kind).contains(Fault.Kind.values());
  }

  private static List<Fault> faults(long seed) {
    FaultPlan plan = FaultPlan.random(new Random(seed), 0.5, Duration.ofMillis(10));
    var call =
        new io.strandline.tiering.store.StoreCall(
            io.strandline.tiering.store.StoreCall.Operation.GET, "a", 1);
    List<Fault> faults = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      faults.add(plan.next(call));
    }
    return faults;
  }
}
