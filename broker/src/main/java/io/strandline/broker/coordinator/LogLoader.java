package io.strandline.broker.coordinator;

import io.strandline.broker.partition.Partition;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.NotLeaderOrFollowerException;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.requests.TransactionResult;
import org.apache.kafka.coordinator.common.runtime.CoordinatorLoader;
import org.apache.kafka.coordinator.common.runtime.CoordinatorPlayback;
import org.apache.kafka.coordinator.common.runtime.Deserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Rebuilds a coordinator's state from the local log of its partition, from the log start to the log
 * end (internal topics keep all their bytes here, design D17).
 *
 * <p>The metadata may tell the coordinator of an election before the partition's owner has taken up
 * its office, long before if the log is lost and comes from the tier, or the disk is full: then
 * loading waits for as long as the metadata stays with it, because the coordinator would not ask
 * again. An owner that leads in an earlier epoch has not: it may have to resign first, and whoever
 * has begun to listen to it by then would hear of no commit any more.
 *
 * <p>Of several loadings of a partition only the latest ends, and none that was asked for before
 * the partition was {@link #resigned}. The coordinator takes the end of any for that of its own:
 * elected, resigned and elected again while the log is read or fetched from the tier, it would
 * begin to serve with nothing, and groups would lose their offsets.
 *
 * @param <T> the coordinator's records
 */
public final class LogLoader<T> implements CoordinatorLoader<T> {
  private static final Logger LOG = LoggerFactory.getLogger(LogLoader.class);
  private static final long RETRY_MS = 20;

  /** Told to the coordinator at least so often, as Kafka does: it then drops its snapshots. */
  private static final long COMMIT_EVERY_OFFSETS = 16_384;

  private final Offices offices;
  private final Deserializer<T> deserializer;
  private final int readBytes;
  private final ScheduledExecutorService executor;
  private final LongSupplier clockMs;
  private final Map<TopicPartition, Load> latest = new HashMap<>(); // guarded by itself
  private volatile boolean closed;

  public LogLoader(
      Offices offices,
      Deserializer<T> deserializer,
      int readBytes,
      ScheduledExecutorService executor,
      LongSupplier clockMs) {
    this.offices = offices;
    this.deserializer = deserializer;
    this.readBytes = readBytes;
    this.executor = executor;
    this.clockMs = clockMs;
  }

  @Override
  public CompletableFuture<LoadSummary> load(TopicPartition tp, CoordinatorPlayback<T> into) {
    Load load = new Load(tp, into);
    synchronized (latest) {
      latest.put(tp, load);
    }
    executor.execute(load);
    return load.result;
  }

  /** To be told before the coordinator is, which only then may be elected again. */
  public void resigned(TopicPartition tp) {
    synchronized (latest) {
      latest.remove(tp);
    }
  }

  /** Interrupts nobody: a thread that reads a log would close the file under all who use it. */
  @Override
  public void close() {
    closed = true;
    executor.shutdown();
  }

  /** One loading, start to end, on the executor. */
  private final class Load implements Runnable {
    private final TopicPartition tp;
    private final CoordinatorPlayback<T> into;
    private final CompletableFuture<LoadSummary> result = new CompletableFuture<>();
    private final long askedMs = clockMs.getAsLong();
    private final int leaderEpoch; // as of when it was asked
    private long records;
    private long bytes;
    private long writtenOffset;
    private long committedOffset = -1;

    Load(TopicPartition tp, CoordinatorPlayback<T> into) {
      this.tp = tp;
      this.into = into;
      this.leaderEpoch = offices.epoch(tp);
    }

    @Override
    public void run() {
      if (closed || superseded()) {
        return;
      }
      try {
        Optional<Partition> leader = offices.leader(tp, leaderEpoch);
        if (leader.isPresent()) {
          LoadSummary summary = replay(leader.get());
          end(() -> result.complete(summary));
        } else if (closed || !offices.elected(tp)) {
          throw new NotLeaderOrFollowerException(tp + " is not led here");
        } else {
          var unused = executor.schedule(this, RETRY_MS, TimeUnit.MILLISECONDS);
        }
      } catch (RuntimeException | Error failure) {
        end(() -> result.completeExceptionally(failure));
      }
    }

    private boolean superseded() {
      synchronized (latest) {
        return latest.get(tp) != this;
      }
    }

    /** In one step: the coordinator lines its end up before it is told that it has resigned. */
    private void end(Runnable completion) {
      synchronized (latest) {
        if (latest.remove(tp, this)) {
          completion.run();
        }
      }
    }

    private LoadSummary replay(Partition partition) {
      long startMs = clockMs.getAsLong();
      long offset = partition.logStartOffset();
      while (offset < partition.logEndOffset()) {
        if (closed || superseded() || !partition.leadsSince(leaderEpoch)) {
          throw new NotLeaderOrFollowerException(tp + " is not led here any more");
        }
        MemoryRecords read = partition.readLocal(offset, readBytes);
        if (read.sizeInBytes() == 0) {
          offset = partition.logEndOffset(); // compaction left nothing up to there
          break;
        }
        for (MutableRecordBatch batch : read.batches()) {
          replay(batch);
          offset = batch.nextOffset();
          tellCommitted(offset, partition.highWatermark());
        }
        bytes += read.sizeInBytes();
      }
      if (offset != writtenOffset) {
        tellCommitted(offset, partition.highWatermark());
      }
      return new LoadSummary(startMs, clockMs.getAsLong(), startMs - askedMs, records, bytes);
    }

    private void replay(MutableRecordBatch batch) {
      for (Record record : batch) {
        records++;
        if (batch.isControlBatch()) {
          replayMarker(batch, ControlRecordType.parse(record.key()));
        } else {
          replay(batch, record);
        }
      }
    }

    private void replayMarker(MutableRecordBatch batch, ControlRecordType type) {
      if (type == ControlRecordType.COMMIT || type == ControlRecordType.ABORT) {
        into.replayEndTransactionMarker(
            batch.producerId(),
            batch.producerEpoch(),
            type == ControlRecordType.COMMIT ? TransactionResult.COMMIT : TransactionResult.ABORT);
      }
    }

    private void replay(MutableRecordBatch batch, Record record) {
      T decoded;
      try {
        decoded = deserializer.deserialize(record.key(), record.value());
      } catch (Deserializer.UnknownRecordTypeException unknown) {
        LOG.atWarn()
            .addKeyValue("partition", tp)
            .addKeyValue("offset", record.offset())
            .addKeyValue("version", unknown.unknownType())
            .log("ignored a record of unknown type, perhaps of a newer release");
        return;
      }
      into.replay(record.offset(), batch.producerId(), batch.producerEpoch(), decoded);
    }

    /** The high watermark moves on while we load, and may be ahead of or behind what was read. */
    private void tellCommitted(long readOffset, long highWatermark) {
      if (readOffset >= highWatermark) {
        into.updateLastWrittenOffset(readOffset);
        writtenOffset = readOffset;
        if (highWatermark > committedOffset) {
          into.updateLastCommittedOffset(highWatermark);
          committedOffset = highWatermark;
        }
      } else if (readOffset - committedOffset >= COMMIT_EVERY_OFFSETS) {
        into.updateLastWrittenOffset(readOffset);
        into.updateLastCommittedOffset(readOffset);
        committedOffset = readOffset;
      }
    }
  }
}
