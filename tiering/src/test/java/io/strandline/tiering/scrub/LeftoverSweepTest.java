package io.strandline.tiering.scrub;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tiering.store.DecoratedObjectStore;
import io.strandline.tiering.store.Leftover;
import io.strandline.tiering.store.Leftover.After;
import io.strandline.tiering.store.Leftover.Kind;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.StoreCall;
import io.strandline.tiering.store.StoreException;
import io.strandline.tiering.store.memory.MemoryObjectStore;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

class LeftoverSweepTest {
  private static final Instant OLD = Instant.parse("2026-01-01T00:00:00Z");
  private static final Instant YOUNG = OLD.plusSeconds(1000);
  private static final int PAGE = 999; // so that keys lie across borders of pages

  private final Versioned store = new Versioned();

  /** Keeps versions as S3 does, and finds a page's begin only while what lies there is there. */
  private static final class Versioned extends DecoratedObjectStore {
    private final List<Leftover> kept = new ArrayList<>();
    private int pages;
    private int failingPage = -1;

    Versioned() {
      super(new MemoryObjectStore(Runnable::run, InstantSource.system()));
    }

    @Override
    protected <T> CompletableFuture<T> around(
        StoreCall call, Supplier<CompletableFuture<T>> action) {
      return action.get();
    }

    void keep(Kind kind, String key, int number, Instant since) {
      kept.add(new Leftover(kind, ObjectKey.of(key), "v" + number, since));
    }

    @Override
    public CompletableFuture<Leftover.Page> leftovers(String prefix, Leftover.Of of, After after) {
      if (++pages == failingPage) {
        return CompletableFuture.failedFuture(new StoreException.Unavailable("late", null));
      }
      int from = 0;
      if (!after.equals(After.START)) {
        while (!kept.get(from).key().value().equals(after.key())
            || !kept.get(from).id().equals(after.id())) {
          from++; // beyond the end when it is gone
        }
        from++;
      }
      int to = Math.min(from + PAGE, kept.size());
      Optional<After> next = Optional.empty();
      if (to < kept.size()) {
        Leftover last = kept.get(to - 1);
        next = Optional.of(new After(last.key().value(), last.id(), last.key().value(), OLD));
      }
      return CompletableFuture.completedFuture(
          new Leftover.Page(List.copyOf(kept.subList(from, to)), next));
    }

    /** Versions go before markers, and no marker while a version of its key is left. */
    @Override
    public CompletableFuture<Void> purge(Collection<Leftover> leftovers) {
      assertThat(leftovers).as("in one call").hasSizeBetween(1, LeftoverSweep.PURGED_AT_ONCE);
      Set<Leftover> gone = new HashSet<>(leftovers);
      kept.removeIf(gone::contains);
      Set<ObjectKey> versions = new HashSet<>();
      kept.stream().filter(l -> l.kind() == Kind.VERSION).forEach(l -> versions.add(l.key()));
      for (Leftover left : leftovers) {
        boolean back = left.kind() == Kind.MARKER && versions.contains(left.key());
        assertThat(back).as("%s is back", left.key()).isFalse();
      }
      return CompletableFuture.completedFuture(null);
    }
  }

  private LeftoverSweep sweep() {
    return new LeftoverSweep(
        store,
        left -> left.key().value().startsWith("a/"),
        () -> CompletableFuture.completedFuture(YOUNG));
  }

  private void deletedObjects(int count) {
    for (int i = 0; i < count; i++) {
      String key = String.format("a/%06d", i);
      store.keep(Kind.MARKER, key, 2, OLD);
      store.keep(Kind.VERSION, key, 1, OLD);
    }
  }

  @Test
  void aHundredThousandGoPageByPage() {
    deletedObjects(50_000);
    LeftoverSweep sweep = sweep();
    sweep.run("a/", Leftover.Of.VERSIONS).join();
    assertThat(store.kept).isEmpty();
    assertThat(sweep.deleted()).isEqualTo(100_000);
    assertThat(sweep.unlisted()).isNull();
    assertThat(store.pages).isEqualTo(101);
  }

  @Test
  void whatWasDeletedBeforeAPageFailedStaysSoAndTheNextSweepGoesOn() {
    deletedObjects(10_000);
    store.failingPage = 15;
    LeftoverSweep first = sweep();
    first.run("a/", Leftover.Of.VERSIONS).join();
    assertThat(first.unlisted()).isInstanceOf(Throwable.class);
    assertThat(first.deleted()).isBetween(13 * PAGE, 14 * PAGE);
    LeftoverSweep second = sweep();
    second.run("a/", Leftover.Of.VERSIONS).join();
    assertThat(second.unlisted()).isNull();
    assertThat(store.kept).isEmpty();
  }

  @Test
  void ofOneKeyReplacedOverAndOverAllOldVersionsGo() {
    store.keep(Kind.MARKER, "a/head", 9_000, OLD);
    for (int i = 5_000; i > 0; i--) {
      store.keep(Kind.VERSION, "a/head", i, OLD);
    }
    sweep().run("a/", Leftover.Of.VERSIONS).join();
    assertThat(store.kept).isEmpty();
  }

  @Test
  void whatIsYoungOrNotOursStays() {
    store.keep(Kind.VERSION, "a/1", 1, YOUNG);
    store.keep(Kind.VERSION, "a/2", 1, OLD);
    store.keep(Kind.VERSION, "b/3", 1, OLD);
    LeftoverSweep sweep = sweep();
    sweep.run("", Leftover.Of.VERSIONS).join();
    assertThat(store.kept).extracting(l -> l.key().value()).containsExactly("a/1", "b/3");
    assertThat(sweep.kept()).isEqualTo(1);
    assertThat(sweep.deleted()).isEqualTo(1);
  }
}
