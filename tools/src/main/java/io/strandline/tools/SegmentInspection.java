package io.strandline.tools;

import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.segment.BatchHeader;
import io.strandline.tiering.segment.BatchScan;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.segment.SegmentFooter;
import io.strandline.tiering.segment.SegmentFooter.Section;
import io.strandline.tiering.segment.SegmentFormat;
import io.strandline.tiering.segment.SegmentId;
import io.strandline.tiering.segment.SegmentIndex;
import io.strandline.tiering.store.ObjectInfo;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tools.tier.Place;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.Optional;
import java.util.stream.Collectors;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.record.internal.CompressionType;

/** Prints one segment's footer, indexes and batches. */
final class SegmentInspection {
  private static final int PIECE_BYTES = 4 << 20;
  private static final int CODEC_MASK = 0x07;
  private static final int APPEND_TIME = 0x08;
  private static final int TRANSACTIONAL = 0x10;
  private static final int CONTROL = 0x20;

  private final TierStore.Opened tier;
  private final ObjectStore store;
  private final Printer printer;

  /**
   * A segment and where its bytes lie.
   *
   * @param store its owner's
   * @param endBytes where it ends in its object
   * @param entry none when no manifest names it
   */
  private record Found(
      ObjectStore store, ObjectKey object, long endBytes, Optional<SegmentEntry> entry) {}

  SegmentInspection(TierStore.Opened tier, Printer printer) {
    this.tier = tier;
    this.store = tier.store();
    this.printer = printer;
  }

  /**
   * @param segment an object's key or a {@link Place}
   * @throws IllegalArgumentException if there is none
   */
  void show(String segment, boolean batches) {
    Found found = Place.matches(segment) ? at(Place.parse(segment)) : named(segment);
    SegmentIndex index = index(found);
    describe(found, index);
    if (batches) {
      printer.flush();
      batches(found, index.footer());
    }
  }

  private Found at(Place place) {
    ManifestView view = tier.manifests().read(place.partition()).join();
    long offset = place.offset().orElse(view.endOffset() - 1);
    SegmentEntry entry =
        view.find(offset)
            .join()
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "no segment of "
                            + Place.of(view)
                            + " covers "
                            + (place.offset().isPresent() ? "offset " + offset : "anything")
                            + ": it has "
                            + view.startOffset()
                            + " to "
                            + view.endOffset()));
    return found(entry);
  }

  private Found found(SegmentEntry entry) {
    return new Found(
        tier.stores().of(entry.ownerCluster()),
        entry.object(),
        entry.positionBytes() + entry.lengthBytes(),
        Optional.of(entry));
  }

  private Found named(String name) {
    ObjectKey key = ObjectKey.of(name);
    ObjectInfo info =
        store.head(key).join().orElseThrow(() -> new IllegalArgumentException("no object " + name));
    Optional<SegmentEntry> entry =
        SegmentId.parse(key)
            .flatMap(
                id ->
                    tier.manifests()
                        .read(new TopicIdPartition(id.topicId(), id.partition(), ""))
                        .thenCompose(view -> view.find(id.baseOffset()))
                        .join())
            .filter(named -> named.object().equals(key));
    return new Found(store, key, info.lengthBytes(), entry);
  }

  /** The footer tells how long the tail is: two small reads, whether the entry is known or not. */
  private SegmentIndex index(Found found) {
    ByteBuffer end = tail(found, SegmentFooter.BYTES);
    SegmentFooter footer = SegmentFooter.decode(end);
    ByteBuffer tail = tail(found, footer.sectionsBytes() + SegmentFooter.BYTES);
    return found.entry().isPresent()
        ? SegmentFormat.decode(found.entry().get(), tail)
        : SegmentFormat.decode(tail);
  }

  private ByteBuffer tail(Found found, int bytes) {
    return found.store().get(found.object(), Math.max(0, found.endBytes() - bytes), bytes).join();
  }

  private void describe(Found found, SegmentIndex index) {
    SegmentFooter footer = index.footer();
    SegmentFooter.Facts facts = footer.facts();
    HexFormat hex = HexFormat.of();
    printer.facts(
        "object", found.object().value(),
        "named", found.entry().isPresent(),
        "owner", found.entry().map(SegmentEntry::ownerCluster).orElse(null),
        "partition", facts.topicId() + "-" + facts.partition(),
        "start", facts.baseOffset(),
        "end", facts.endOffset(),
        "epoch", facts.leaderEpoch(),
        "newest", TierCommand.time(facts.maxTimestamp()),
        "batches", facts.batchCount(),
        "records", facts.recordCount(),
        "bytes", footer.dataBytes() + footer.sectionsBytes() + SegmentFooter.BYTES,
        "dataBytes", footer.dataBytes(),
        "dataCrc32c", hex.toHexDigits(footer.dataCrc32c()),
        "segmentCrc32c", hex.toHexDigits(footer.segmentCrc32c()),
        "offsetIndexBytes", footer.lengthBytes(Section.OFFSET_INDEX),
        "timeIndexBytes", footer.lengthBytes(Section.TIME_INDEX),
        "transactionIndexBytes", footer.lengthBytes(Section.TRANSACTION_INDEX),
        "producerSnapshotBytes", footer.lengthBytes(Section.PRODUCER_SNAPSHOT),
        "leaderEpochs",
            index.leaderEpochs().stream()
                .map(e -> e.leaderEpoch() + "@" + e.startOffset())
                .collect(Collectors.joining(" ")),
        "abortedTransactions",
            index.abortedTransactions(0, Long.MAX_VALUE).stream()
                .map(t -> t.producerId() + ":" + t.firstOffset() + "-" + t.lastOffset())
                .collect(Collectors.joining(" ")));
  }

  private void batches(Found found, SegmentFooter footer) {
    long begin =
        found.endBytes() - SegmentFooter.BYTES - footer.sectionsBytes() - footer.dataBytes();
    BatchScan scan =
        new BatchScan(footer.facts().baseOffset(), footer.facts().endOffset(), this::batch);
    for (long at = 0; at < footer.dataBytes(); at += PIECE_BYTES) {
      int bytes = (int) Math.min(PIECE_BYTES, footer.dataBytes() - at);
      scan.feed(found.store().get(found.object(), begin + at, bytes).join());
    }
    scan.finish();
  }

  private void batch(BatchHeader header, long positionBytes) {
    int attributes = header.attributes();
    printer.row(
        "start",
        header.baseOffset(),
        "last",
        header.lastOffset(),
        "position",
        positionBytes,
        "bytes",
        header.sizeBytes(),
        "records",
        header.recordCount(),
        "epoch",
        header.leaderEpoch(),
        "codec",
        CompressionType.forId(attributes & CODEC_MASK).name,
        "newest",
        TierCommand.time(header.maxTimestamp()),
        "time",
        (attributes & APPEND_TIME) != 0 ? "append" : "create",
        "transactional",
        (attributes & TRANSACTIONAL) != 0,
        "control",
        (attributes & CONTROL) != 0);
  }
}
