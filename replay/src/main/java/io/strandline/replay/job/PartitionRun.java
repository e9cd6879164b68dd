package io.strandline.replay.job;

import io.strandline.replay.ReplayException;
import io.strandline.replay.ReplayRead;
import io.strandline.replay.ReplayRequest;
import io.strandline.replay.job.JobProgress.Skipped;
import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.store.StoreException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.utils.BufferSupplier;

/** One partition of a job, read from begin to end by one thread. Progress may be asked by any. */
final class PartitionRun {
  private static final int READ_BYTES = 8 << 20;
  private static final long PAUSE_MIN_MS = 100;
  private static final long PAUSE_MAX_MS = 10_000;

  private final JobServices services;
  private final JobSpec spec;
  private final TopicIdPartition partition;
  private final Pacer pacer;
  private final String reader;
  private final long fromOffset;
  private final long endOffset;
  private final long sizeBytes;
  private final List<Skipped> skipped = new ArrayList<>();
  private final BufferSupplier buffers = BufferSupplier.create();
  private volatile long nextOffset;
  private long records; // guarded by this
  private long unavailableSinceMs = -1;
  private long pauseMs = PAUSE_MIN_MS;

  PartitionRun(JobServices services, JobSpec spec, ManifestView view, Shared shared, Range range) {
    this.services = services;
    this.spec = spec;
    this.partition = view.partition();
    this.pacer = shared.pacer;
    this.reader = shared.reader;
    this.fromOffset = range.fromOffset;
    this.endOffset = range.endOffset;
    this.nextOffset = fromOffset;
    long held = Math.max(1, view.endOffset() - view.startOffset());
    this.sizeBytes =
        (long) ((double) Math.max(0, endOffset - fromOffset) / held * view.sizeBytes());
  }

  /**
   * Offsets to read.
   *
   * @param fromOffset where to begin
   * @param endOffset where to end
   */
  record Range(long fromOffset, long endOffset) {}

  /**
   * What the partitions of one job share.
   *
   * @param reader names its streams
   */
  record Shared(Pacer pacer, String reader) {}

  String topicId() {
    return partition.topicId().toString();
  }

  int number() {
    return partition.partition();
  }

  synchronized JobProgress.Partition progress() {
    return new JobProgress.Partition(
        number(), fromOffset, nextOffset, endOffset, sizeBytes, skipped);
  }

  synchronized long records() {
    return records;
  }

  /** One read, taken by the sink; or a pause, or a range that is skipped. */
  void step(RecordSink sink) throws IOException, InterruptedException {
    long at = nextOffset;
    try (ReplayRead read = services.waits().join(services.replay().read(request(at)))) {
      if (read.nextOffset() <= at) {
        throw new ReplayException(
            ReplayException.Kind.UNAVAILABLE, "nothing was read at " + at, null);
      }
      unavailableSinceMs = -1;
      pauseMs = PAUSE_MIN_MS;
      pacer.take(read.sizeBytes());
      give(read, at, sink);
      nextOffset = Math.min(endOffset, read.nextOffset());
    } catch (CompletionException e) {
      if (!(e.getCause() instanceof ReplayException failure)) {
        throw e;
      }
      failed(failure, at, sink);
    }
  }

  boolean done() {
    return nextOffset >= endOffset;
  }

  private ReplayRequest request(long at) {
    return new ReplayRequest(
        partition, at, endOffset, READ_BYTES, true, spec.committedOnly(), reader);
  }

  private void give(ReplayRead read, long at, RecordSink sink) throws IOException {
    BatchRecords decoder =
        new BatchRecords(number(), buffers, services.bounds(), read.abortedTransactions());
    for (MutableRecordBatch batch : BatchRecords.batches(read)) {
      List<HistoryRecord> decoded;
      try {
        decoded = decoder.of(batch, at, endOffset);
      } catch (InvalidRecordException e) {
        skip(Math.max(at, batch.baseOffset()), batch.nextOffset(), e, sink);
        continue;
      }
      if (!decoded.isEmpty()) {
        sink.accept(number(), decoded);
        counted(decoded.size());
      }
      nextOffset = Math.min(endOffset, Math.max(at, batch.nextOffset()));
    }
  }

  private synchronized void counted(int more) {
    records += more;
  }

  private void failed(ReplayException failure, long at, RecordSink sink)
      throws InterruptedException {
    if (failure.kind() == ReplayException.Kind.UNAVAILABLE) {
      pause(failure);
      return;
    }
    long goesOn;
    try {
      goesOn = behind(failure, at);
    } catch (CompletionException e) {
      if (!(e.getCause() instanceof StoreException away)) {
        throw e;
      }
      // What the manifest says decides, and the store does not answer: the read is tried again.
      String why = String.valueOf(away.getMessage());
      pause(new ReplayException(ReplayException.Kind.UNAVAILABLE, why, away));
      return;
    }
    if (goesOn == at) {
      pause(failure);
    } else {
      nextOffset = skip(at, Math.min(endOffset, goesOn), failure, sink);
    }
  }

  /** Where reading goes on: behind what is lost, or at the same offset, which is there by now. */
  private long behind(ReplayException failure, long at) {
    if (failure.kind() != ReplayException.Kind.OUT_OF_RANGE) {
      ReplayException.Damage damage = failure.damage();
      return Math.max(at + 1, damage == null ? endOf(at) : damage.toOffset());
    }
    ManifestView view = services.waits().join(services.manifests().read(partition));
    if (at < view.startOffset()) {
      return view.startOffset();
    }
    return at < view.endOffset() ? at : endOffset;
  }

  /** Of the segment that covers the offset. */
  private long endOf(long offset) {
    ManifestView view = services.waits().join(services.manifests().read(partition));
    return services
        .waits()
        .join(view.find(offset))
        .map(segment -> segment.endOffset())
        .orElse(view.endOffset());
  }

  /** The store does not answer: again later, until patience ends. */
  private void pause(ReplayException failure) throws InterruptedException {
    long nowMs = services.clock().millis();
    unavailableSinceMs = unavailableSinceMs < 0 ? nowMs : unavailableSinceMs;
    if (nowMs - unavailableSinceMs >= services.unavailableMs()) {
      throw failure;
    }
    services.pause().millis(pauseMs);
    pauseMs = Math.min(PAUSE_MAX_MS, pauseMs * 2);
  }

  private long skip(long from, long end, RuntimeException why, RecordSink sink) {
    String what =
        "offsets "
            + from
            + " to "
            + end
            + " of partition "
            + number()
            + " cannot be read: "
            + why.getMessage();
    if (spec.damage() == JobSpec.Damage.FAIL) {
      throw new ReplayException(ReplayException.Kind.CORRUPT, what, why);
    }
    Skipped range = new Skipped(number(), from, end, String.valueOf(why.getMessage()));
    synchronized (this) {
      skipped.add(range);
    }
    sink.skipped(range);
    return end;
  }
}
