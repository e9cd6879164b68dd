package io.strandline.tiering.rewrite;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.strandline.tiering.compact.CompactionStats;

/** What an operator sees of rewriting; bytes rewritten per byte in are the quotient of two. */
final class RewriteMetrics {
  final Counter rounds;
  final Counter readBytes;
  final Counter writtenBytes;
  final Counter replacedSegments;
  final Counter mergeReadBytes;
  final Counter mergeWrittenBytes;
  final Counter mergedSegments;
  final Counter putOff;
  final Counter copiedBytes;
  final Counter copiedSegments;
  private final Counter droppedRecords;
  private final Counter keylessRecords;
  private final Counter undecodable;

  RewriteMetrics(MeterRegistry registry) {
    rounds = registry.counter("strandline.compaction.rounds");
    readBytes = bytes(registry, "strandline.compaction.read.bytes");
    writtenBytes = bytes(registry, "strandline.compaction.written.bytes");
    replacedSegments = registry.counter("strandline.compaction.replaced.segments");
    droppedRecords = registry.counter("strandline.compaction.dropped.records");
    keylessRecords = registry.counter("strandline.compaction.keyless.records");
    undecodable = registry.counter("strandline.compaction.undecodable.batches");
    mergeReadBytes = bytes(registry, "strandline.merge.read.bytes");
    mergeWrittenBytes = bytes(registry, "strandline.merge.written.bytes");
    putOff = registry.counter("strandline.compaction.put.off");
    mergedSegments = registry.counter("strandline.merge.segments");
    copiedBytes = bytes(registry, "strandline.mount.copied.bytes");
    copiedSegments = registry.counter("strandline.mount.copied.segments");
  }

  private static Counter bytes(MeterRegistry registry, String name) {
    return Counter.builder(name).baseUnit("bytes").register(registry);
  }

  void filtered(CompactionStats stats) {
    droppedRecords.increment((double) (stats.recordsRead() - stats.recordsKept()));
    keylessRecords.increment((double) stats.keylessRecords());
    undecodable.increment((double) stats.undecodableBatches());
  }
}
