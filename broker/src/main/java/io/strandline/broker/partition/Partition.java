package io.strandline.broker.partition;

import io.strandline.broker.log.Appended;
import io.strandline.broker.log.PartitionLog;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.server.storage.log.FetchIsolation;
import org.apache.kafka.storage.internals.log.LogConfig;

/**
 * One replica that this broker hosts, and its one owner.
 *
 * <p>Threads: any. What changes the log goes through the owner, a mailbox; getters are volatile
 * reads. Methods that say so fail with {@code NotLeaderOrFollowerException} while another leads and
 * with {@code KafkaStorageException} once the log directory failed.
 */
@SuppressWarnings("DoNotCallSuggester")
public final class Partition {
  private Partition() {}

  public TopicIdPartition id() {
    throw new UnsupportedOperationException();
  }

  public boolean leads() {
    throw new UnsupportedOperationException();
  }

  /** Of the leader that this replica knows of, -1 before it knows one. */
  public int leaderEpoch() {
    throw new UnsupportedOperationException();
  }

  public LogConfig config() {
    throw new UnsupportedOperationException();
  }

  /** For those who describe or maintain it; its writing methods are the owner's alone. */
  public PartitionLog log() {
    throw new UnsupportedOperationException();
  }

  public long logStartOffset() {
    throw new UnsupportedOperationException();
  }

  public long localLogStartOffset() {
    throw new UnsupportedOperationException();
  }

  public long logEndOffset() {
    throw new UnsupportedOperationException();
  }

  public long highWatermark() {
    throw new UnsupportedOperationException();
  }

  public long lastStableOffset() {
    throw new UnsupportedOperationException();
  }

  /**
   * A client's append; leaders only.
   *
   * @param acks 0, 1 or -1; with -1 fails with NOT_ENOUGH_REPLICAS below {@code
   *     min.insync.replicas}
   */
  public PendingAppend append(MemoryRecords records, short acks) {
    throw new UnsupportedOperationException();
  }

  /**
   * A coordinator's append, when this returns it is in the leader's log; leaders only. May wait for
   * an append that is being written; never call it from an event loop, a {@link Watcher} or a
   * {@link HighWatermarkListener}.
   *
   * @param terms the leader epoch expected (-1 for the present one), origin, verification guard and
   *     version of the transaction
   */
  public Appended appendNow(MemoryRecords records, PartitionLog.AppendTerms terms) {
    throw new UnsupportedOperationException();
  }

  /**
   * Finds records; never blocks on the tier, nor on disk but for a look into an index.
   *
   * @throws org.apache.kafka.common.errors.ApiException OFFSET_OUT_OF_RANGE, FENCED_LEADER_EPOCH,
   *     UNKNOWN_LEADER_EPOCH, NOT_LEADER_OR_FOLLOWER, KAFKA_STORAGE_ERROR
   */
  public PartitionRead read(ReadRequest request) {
    throw new UnsupportedOperationException();
  }

  /**
   * Local records up to the log end copied to memory, for coordinators that load their state;
   * blocks on disk.
   */
  public MemoryRecords readLocal(long offset, int maxBytes) {
    throw new UnsupportedOperationException();
  }

  /**
   * Looks an offset up as ListOffsets does (KIP-79, KIP-405, KIP-734, KIP-1005); leaders only.
   *
   * @param timestampMs at least this, or one of the negative specs of {@code ListOffsetsRequest}
   */
  public CompletableFuture<FoundOffset> offsetFor(
      long timestampMs, FetchIsolation isolation, OptionalInt leaderEpoch) {
    throw new UnsupportedOperationException();
  }

  /**
   * Moves the log start; completes with the low watermark once all replicas moved theirs.
   *
   * @param offset -1 for the high watermark
   */
  public CompletableFuture<Long> deleteRecords(long offset) {
    throw new UnsupportedOperationException();
  }

  public void watch(Watcher watcher) {
    throw new UnsupportedOperationException();
  }

  public void unwatch(Watcher watcher) {
    throw new UnsupportedOperationException();
  }

  /** Listens for this tenure of leadership; false when this replica does not lead. */
  public boolean listen(HighWatermarkListener listener) {
    throw new UnsupportedOperationException();
  }

  public void unlisten(HighWatermarkListener listener) {
    throw new UnsupportedOperationException();
  }
}
