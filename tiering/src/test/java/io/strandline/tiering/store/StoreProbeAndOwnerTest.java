package io.strandline.tiering.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.tiering.store.memory.Fault;
import io.strandline.tiering.store.memory.FaultyObjectStore;
import io.strandline.tiering.store.memory.MemoryObjectStore;
import java.time.InstantSource;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

class StoreProbeAndOwnerTest {
  private final ObjectStore memory = new MemoryObjectStore(Runnable::run, InstantSource.system());

  /** Turns conditional writes into plain ones: a store that does not know of conditions. */
  private static ObjectStore deaf(ObjectStore inner, boolean toReplaceOnly) {
    return new DecoratedObjectStore(inner) {
      @Override
      protected <T> CompletableFuture<T> around(
          StoreCall call, Supplier<CompletableFuture<T>> action) {
        return action.get();
      }

      @Override
      public CompletableFuture<ObjectInfo> putIfAbsent(ObjectKey key, Payload payload) {
        return toReplaceOnly ? super.putIfAbsent(key, payload) : inner.put(key, payload);
      }

      @Override
      public CompletableFuture<ObjectInfo> replace(ObjectKey key, Payload payload, String etag) {
        return inner.put(key, payload);
      }
    };
  }

  private StoreProbe.Verdict probe(ObjectStore store) {
    return StoreProbe.run(store, new Random(1)).join();
  }

  @Test
  void aGoodStoreIsFitAndLeftEmpty() {
    StoreProbe.Verdict verdict = probe(memory);
    assertThat(verdict).isEqualTo(new StoreProbe.Verdict(true, true, List.of()));
    assertThat(verdict.fit()).isTrue();
    assertThat(memory.list("", "", 10).join().objects()).isEmpty();
  }

  @Test
  void aStoreDeafToConditionsIsNotFit() {
    StoreProbe.Verdict verdict = probe(deaf(memory, false));
    assertThat(verdict).isEqualTo(new StoreProbe.Verdict(false, false, List.of()));
    assertThat(verdict.fit()).isFalse();
    assertThat(verdict.explain()).contains("If-None-Match");
  }

  @Test
  void aStoreThatOnlyWritesOnceIsFit() {
    StoreProbe.Verdict verdict = probe(deaf(memory, true));
    assertThat(verdict).isEqualTo(new StoreProbe.Verdict(true, false, List.of()));
    assertThat(verdict.fit()).isTrue();
  }

  @Test
  void echoesOfLostAnswersDoNotDeceiveIt() {
    boolean[] first = {true};
    ObjectStore echoing =
        new FaultyObjectStore(
            memory,
            call -> {
              boolean fault = first[0] && call.operation().writes();
              first[0] = false;
              return fault ? Fault.of(Fault.Kind.REPEATED) : Fault.NONE;
            },
            new VirtualScheduler());
    assertThat(probe(echoing)).isEqualTo(new StoreProbe.Verdict(true, true, List.of()));
  }

  @Test
  void aStoreThatIsAwayFailsTheProbe() {
    ObjectStore away = new ScriptedStore().failing(new StoreException.Unavailable("away", null));
    assertThatThrownBy(() -> probe(away))
        .extracting(StoreException::of)
        .isInstanceOf(StoreException.Unavailable.class);
  }

  @Test
  void thePrefixBelongsToWhoClaimsItFirst() {
    assertThat(StoreOwner.read(memory).join()).isEmpty();
    String identity = StoreOwner.claim(memory, "cluster-a", new SplittableRandom(1)).join();
    assertThat(StoreOwner.claim(memory, "cluster-a", new SplittableRandom(2)).join())
        .isEqualTo(identity)
        .isNotEqualTo("cluster-a");
    assertThat(StoreOwner.read(memory).join()).contains("cluster-a");
    assertThatThrownBy(() -> StoreOwner.claim(memory, "cluster-b", new SplittableRandom(1)).join())
        .extracting(StoreException::of)
        .isInstanceOf(StoreException.Refused.class)
        .extracting(Throwable::getMessage)
        .asString()
        .contains("cluster-a", "cluster-b", "memory:");
    assertThat(StoreOwner.read(memory).join()).contains("cluster-a");
  }

  @Test
  void aClaimWhoseAnswerWasRepeatedIsOurs() {
    ObjectStore echoing =
        new FaultyObjectStore(
            memory,
            call -> call.operation().writes() ? Fault.of(Fault.Kind.REPEATED) : Fault.NONE,
            new VirtualScheduler());
    StoreOwner.claim(echoing, "cluster-a", new SplittableRandom(1)).join();
    assertThat(StoreOwner.read(memory).join()).contains("cluster-a");
  }
}
