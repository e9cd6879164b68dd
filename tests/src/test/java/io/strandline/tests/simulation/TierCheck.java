package io.strandline.tests.simulation;

import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.manifest.retired.RetiredSegment;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.store.ObjectInfo;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * One thing that must hold of the tier whenever it is looked at. Looks at the store itself, behind
 * all faults.
 */
interface TierCheck {
  /** What is to be held against it: the newest version, all it names, and the store. */
  record Look(
      ManifestView view,
      List<SegmentEntry> named,
      List<RetiredSegment> retired,
      ObjectStore store) {
    static Look at(ManifestView view, ObjectStore store) {
      return new Look(
          view,
          view.from(0, Integer.MAX_VALUE).join(),
          view.retired(Integer.MAX_VALUE).join(),
          store);
    }

    List<ObjectKey> retiredObjects() {
      return retired.stream().map(r -> r.entry().object()).toList();
    }
  }

  /** What is wrong, if anything is. */
  Optional<String> wrong(Look look);

  /** Throws the first that is wrong, by the name of its check. */
  static void all(List<TierCheck> checks, Look look) {
    for (TierCheck check : checks) {
      check
          .wrong(look)
          .ifPresent(
              what -> {
                throw new AssertionError(check.getClass().getSimpleName() + ": " + what);
              });
    }
  }

  /**
   * Invariant 5, told every version that ever was newest, from the first on: none is written over,
   * the number rises by one, the epoch never falls, and what is named differs by one lawful step:
   * the same, segments added at the end, segments taken from the start and now retired, a run
   * replaced by another that covers the same and now retired, or retired ones forgotten.
   */
  final class ChainIsLawful implements TierCheck {
    private @Nullable Look before;

    @Override
    public Optional<String> wrong(Look look) {
      Look was = before;
      if (was != null && look.view().version() == was.view().version()) {
        return look.view().leaderEpoch() == was.view().leaderEpoch()
                && look.named().equals(was.named())
            ? Optional.empty()
            : Optional.of("was written over: " + text(was) + " became " + text(look));
      }
      before = look;
      if (was == null) {
        return look.view().version() <= 1
            ? Optional.empty()
            : Optional.of("begins with version " + look.view().version());
      }
      return step(was, look)
          .map(what -> what + ": version " + was.view().version() + " became " + text(look));
    }

    private static Optional<String> step(Look was, Look is) {
      if (is.view().version() != was.view().version() + 1) {
        return Optional.of("number does not follow");
      }
      if (is.view().leaderEpoch() < was.view().leaderEpoch()) {
        return Optional.of("epoch falls");
      }
      if (was.view().deleted() && (!is.view().deleted() || !is.named().isEmpty())) {
        return Optional.of("goes on after its end");
      }
      Set<ObjectKey> retiredWas = new HashSet<>(was.retiredObjects());
      Set<ObjectKey> retiredIs = new HashSet<>(is.retiredObjects());
      if (is.named().equals(was.named())) {
        return retiredWas.containsAll(retiredIs)
            ? Optional.empty()
            : Optional.of("retires what it never named");
      }
      boolean added =
          is.named().size() > was.named().size()
              && is.named().subList(0, was.named().size()).equals(was.named());
      if (added) {
        return retiredIs.equals(retiredWas) ? Optional.empty() : Optional.of("adds and retires");
      }
      retiredWas.addAll(gone(was.named(), is.named()));
      if (!retiredIs.equals(retiredWas)) {
        return Optional.of("loses without retiring");
      }
      return isTail(is.named(), was.named()) || replaced(was, is)
          ? Optional.empty()
          : Optional.of("no lawful step");
    }

    private static List<ObjectKey> gone(List<SegmentEntry> was, List<SegmentEntry> is) {
      Set<SegmentEntry> left = new HashSet<>(is);
      return was.stream().filter(e -> !left.contains(e)).map(SegmentEntry::object).toList();
    }

    /** One run in the place of another with the same borders; all else as it was. */
    private static boolean replaced(Look was, Look is) {
      int same = 0;
      int most = Math.min(was.named().size(), is.named().size());
      while (same < most && was.named().get(same).equals(is.named().get(same))) {
        same++;
      }
      int sameEnd = 0;
      while (sameEnd < most - same && fromEnd(was, sameEnd).equals(fromEnd(is, sameEnd))) {
        sameEnd++;
      }
      return was.view().startOffset() == is.view().startOffset()
          && was.view().endOffset() == is.view().endOffset()
          && was.view().compaction().cleanedOffset() <= is.view().compaction().cleanedOffset()
          && same + sameEnd < most
          && was.named().get(same).baseOffset() == is.named().get(same).baseOffset()
          && fromEnd(was, sameEnd).endOffset() == fromEnd(is, sameEnd).endOffset();
    }

    private static SegmentEntry fromEnd(Look look, int at) {
      return look.named().get(look.named().size() - 1 - at);
    }

    private static <T> boolean isTail(List<T> tail, List<T> whole) {
      return tail.size() <= whole.size()
          && whole.subList(whole.size() - tail.size(), whole.size()).equals(tail);
    }

    private static String text(Look look) {
      ManifestView view = look.view();
      return view.version()
          + " of epoch "
          + view.leaderEpoch()
          + ", "
          + view.startOffset()
          + " to "
          + view.endOffset();
    }
  }

  /** Invariant 2, the tier's part: segments follow one another densely and fill the range. */
  final class SegmentsDense implements TierCheck {
    @Override
    public Optional<String> wrong(Look look) {
      List<SegmentEntry> named = look.named();
      for (int i = 1; i < named.size(); i++) {
        if (named.get(i).baseOffset() != named.get(i - 1).endOffset()) {
          return Optional.of(
              named.get(i).baseOffset() + " follows " + named.get(i - 1).endOffset());
        }
      }
      boolean fills =
          named.isEmpty()
              ? look.view().startOffset() == look.view().endOffset()
              : named.get(0).covers(look.view().startOffset())
                  && named.get(named.size() - 1).endOffset() == look.view().endOffset();
      return fills && named.size() == look.view().segmentCount()
          ? Optional.empty()
          : Optional.of(named.size() + " segments do not fill the range");
    }
  }

  /** Invariant 4: what is named exists, with the length and the checksum it is named with. */
  final class ObjectsAsNamed implements TierCheck {
    private final boolean checksums;
    private final Predicate<ObjectKey> damaged;
    private final Map<String, Integer> known = new HashMap<>();

    /**
     * @param checksums whether the entries carry real ones
     * @param damaged objects that the simulation itself did something to
     */
    ObjectsAsNamed(boolean checksums, Predicate<ObjectKey> damaged) {
      this.checksums = checksums;
      this.damaged = damaged;
    }

    @Override
    public Optional<String> wrong(Look look) {
      for (SegmentEntry entry : look.named()) {
        if (damaged.test(entry.object())) {
          continue;
        }
        Optional<ObjectInfo> info = look.store().head(entry.object()).join();
        boolean there =
            info.isPresent()
                && info.get().lengthBytes() == entry.positionBytes() + entry.lengthBytes()
                && (!checksums || checksum(look, entry, info.get()) == entry.crc32c());
        if (!there) {
          return Optional.of(entry.object() + " is named and not as named: " + info);
        }
      }
      return Optional.empty();
    }

    private int checksum(Look look, SegmentEntry entry, ObjectInfo info) {
      return known.computeIfAbsent(
          entry.object() + " " + info.etag(),
          unknown -> {
            ByteBuffer bytes =
                look.store()
                    .get(entry.object(), entry.positionBytes(), (int) entry.lengthBytes())
                    .join();
            CRC32C crc = new CRC32C();
            crc.update(bytes);
            return (int) crc.getValue();
          });
    }
  }

  /**
   * Invariant 3: what a writer was told is committed stays named until retention removes it, itself
   * or what was made out of it.
   */
  final class AcknowledgedIsNamed implements TierCheck {
    private final Map<ObjectKey, Long> acknowledged = new HashMap<>();
    private final Map<ObjectKey, List<SegmentEntry>> madeInto = new HashMap<>();

    void acknowledge(SegmentEntry entry) {
      acknowledged.put(entry.object(), entry.endOffset());
    }

    /** These may come to stand for those. */
    void replacing(List<SegmentEntry> old, List<SegmentEntry> by) {
      old.forEach(e -> madeInto.computeIfAbsent(e.object(), k -> new ArrayList<>()).addAll(by));
    }

    @Override
    public Optional<String> wrong(Look look) {
      acknowledged.values().removeIf(end -> end <= look.view().startOffset());
      Set<ObjectKey> named = new HashSet<>();
      look.named().forEach(entry -> named.add(entry.object()));
      return acknowledged.keySet().stream()
          .filter(object -> !stands(object, named))
          .findFirst()
          .map(object -> object + " was committed and is not named");
    }

    private boolean stands(ObjectKey object, Set<ObjectKey> named) {
      return named.contains(object)
          || madeInto.getOrDefault(object, List.of()).stream()
              .anyMatch(entry -> stands(entry.object(), named));
    }
  }

  /** Invariant 4, the readers' part: what is retired stays until its grace is over. */
  final class RetiredStay implements TierCheck {
    private final InstantSource clock;
    private final Duration grace;
    private final Map<ObjectKey, Instant> first = new HashMap<>();

    RetiredStay(InstantSource clock, Duration grace) {
      this.clock = clock;
      this.grace = grace;
    }

    /**
     * When it was retired, as first told: those that move into a page get their youngest's time.
     */
    private Instant since(RetiredSegment retired) {
      return first.computeIfAbsent(retired.entry().object(), key -> retired.since());
    }

    @Override
    public Optional<String> wrong(Look look) {
      return look.retired().stream()
          .filter(retired -> since(retired).plus(grace).isAfter(clock.instant()))
          .map(retired -> retired.entry().object())
          .filter(object -> look.store().head(object).join().isEmpty())
          .findFirst()
          .map(object -> object + " went within its grace");
    }
  }
}
