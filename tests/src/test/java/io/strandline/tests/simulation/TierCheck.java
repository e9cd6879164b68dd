package io.strandline.tests.simulation;

import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.store.ObjectInfo;
import io.strandline.tiering.store.ObjectStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One thing that must hold of the tier whenever it is looked at. Looks at the store itself, behind
 * all faults.
 */
interface TierCheck {
  /** What is to be held against it: the newest version, all it names, and the store. */
  record Look(ManifestView view, List<SegmentEntry> named, ObjectStore store) {}

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

  /** Invariant 5: numbers and epochs never fall, the range only moves up. */
  final class VersionsRise implements TierCheck {
    private long version;
    private int leaderEpoch = -1;
    private long startOffset;
    private long endOffset;

    @Override
    public Optional<String> wrong(Look look) {
      ManifestView now = look.view();
      boolean fell =
          now.version() < version
              || now.leaderEpoch() < leaderEpoch
              || now.startOffset() < startOffset
              || now.endOffset() < endOffset;
      String was = version + "/" + leaderEpoch + " " + startOffset + ".." + endOffset;
      version = now.version();
      leaderEpoch = now.leaderEpoch();
      startOffset = now.startOffset();
      endOffset = now.endOffset();
      String is = version + "/" + leaderEpoch + " " + startOffset + ".." + endOffset;
      return fell ? Optional.of(was + " became " + is) : Optional.empty();
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

  /** Invariant 4: what is named exists, with the length it has. */
  final class NamedObjectsExist implements TierCheck {
    @Override
    public Optional<String> wrong(Look look) {
      for (SegmentEntry entry : look.named()) {
        Optional<ObjectInfo> info = look.store().head(entry.object()).join();
        if (info.isEmpty() || info.get().lengthBytes() != entry.lengthBytes()) {
          return Optional.of(entry.object() + " is named and not as named: " + info);
        }
      }
      return Optional.empty();
    }
  }

  /** Invariant 3: what a writer was told is committed stays named until retention removes it. */
  final class AcknowledgedIsNamed implements TierCheck {
    private final List<SegmentEntry> acknowledged = new ArrayList<>();

    void acknowledge(SegmentEntry entry) {
      acknowledged.add(entry);
    }

    @Override
    public Optional<String> wrong(Look look) {
      acknowledged.removeIf(entry -> entry.endOffset() <= look.view().startOffset());
      return acknowledged.stream()
          .filter(entry -> !look.named().contains(entry))
          .findFirst()
          .map(entry -> entry.object() + " was committed and is not named");
    }
  }
}
