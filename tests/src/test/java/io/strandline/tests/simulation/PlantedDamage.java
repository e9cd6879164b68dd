package io.strandline.tests.simulation;

import io.strandline.replay.ReplayException;
import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.scrub.AuditFinding;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.Payload;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Objects that the simulation took away, cut short or changed behind everyone's back. */
final class PlantedDamage {
  /** What was done to an object. */
  enum Kind {
    GONE,
    CUT_SHORT,
    CHANGED
  }

  private record Planted(Kind kind, ObjectKey object, long from, long to) {
    boolean covers(long fromOffset, long toOffset) {
      return from <= fromOffset && toOffset <= to;
    }
  }

  private final ObjectStore bucket;
  private final Random random;
  private final List<Planted> planted = new ArrayList<>();
  private int told;

  PlantedDamage(ObjectStore bucket, Random random) {
    this.bucket = bucket;
    this.random = random;
  }

  /**
   * Damages one of the segments.
   *
   * @return what was done
   */
  String plant(List<SegmentEntry> named) {
    List<SegmentEntry> whole = named.stream().filter(e -> !damaged(e.object())).toList();
    if (whole.isEmpty()) {
      return "nothing to damage";
    }
    SegmentEntry entry = whole.get(random.nextInt(whole.size()));
    Kind kind = Kind.values()[random.nextInt(Kind.values().length)];
    planted.add(new Planted(kind, entry.object(), entry.baseOffset(), entry.endOffset()));
    int length = (int) (entry.positionBytes() + entry.lengthBytes());
    ByteBuffer bytes = bucket.get(entry.object(), length).join();
    byte[] all = new byte[bytes.remaining()];
    bytes.get(all);
    switch (kind) {
      case GONE -> bucket.delete(List.of(entry.object())).join();
      case CUT_SHORT -> put(entry.object(), ByteBuffer.wrap(all, 0, random.nextInt(all.length)));
      case CHANGED -> {
        all[random.nextInt(all.length)] ^= (byte) (1 + random.nextInt(255));
        put(entry.object(), ByteBuffer.wrap(all));
      }
    }
    return kind
        + " "
        + entry.object()
        + ", offsets "
        + entry.baseOffset()
        + " to "
        + entry.endOffset();
  }

  private void put(ObjectKey object, ByteBuffer bytes) {
    bucket.put(object, Payload.of(bytes.slice())).join();
  }

  /** How often a reader was told. */
  int told() {
    return told;
  }

  int count() {
    return planted.size();
  }

  boolean damaged(ObjectKey object) {
    return planted.stream().anyMatch(one -> one.object.equals(object));
  }

  /** Whether a reader may be told so: of offsets that share the fate of a damaged object. */
  boolean explains(ReplayException failure) {
    ReplayException.Damage range = failure.damage();
    boolean explained =
        failure.kind() == ReplayException.Kind.CORRUPT
            && !planted.isEmpty()
            && (range == null
                || planted.stream().anyMatch(p -> p.covers(range.fromOffset(), range.toOffset())));
    told += explained ? 1 : 0;
    return explained;
  }

  /** Whether something is wrong at the place, and so may be found. */
  boolean explains(AuditFinding finding) {
    return planted.stream().anyMatch(p -> p.covers(finding.offset(), finding.endOffset()));
  }

  /** Those that are still named and that none of the findings is about. */
  List<String> unfound(ManifestView view, List<AuditFinding> findings) {
    return planted.stream()
        .filter(p -> named(view, p))
        .filter(p -> findings.stream().noneMatch(f -> p.covers(f.offset(), f.endOffset())))
        .map(Planted::toString)
        .toList();
  }

  private static boolean named(ManifestView view, Planted planted) {
    return view.find(Math.max(planted.from, view.startOffset()))
        .join()
        .filter(entry -> entry.object().equals(planted.object))
        .isPresent();
  }
}
