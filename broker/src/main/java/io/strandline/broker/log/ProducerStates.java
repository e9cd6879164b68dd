package io.strandline.broker.log;

import io.strandline.broker.log.PartitionLog.AppendTerms;
import io.strandline.broker.log.check.KafkaTime;
import io.strandline.broker.log.segment.AbortedIndex;
import io.strandline.tiering.segment.AbortedTransaction;
import io.strandline.tiering.segment.BatchBounds;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.InvalidTxnStateException;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.errors.OutOfOrderSequenceException;
import org.apache.kafka.common.message.DescribeProducersResponseData;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.utils.BufferSupplier;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.BatchMetadata;
import org.apache.kafka.storage.internals.log.CompletedTxn;
import org.apache.kafka.storage.internals.log.LogOffsetMetadata;
import org.apache.kafka.storage.internals.log.ProducerAppendInfo;
import org.apache.kafka.storage.internals.log.ProducerStateEntry;
import org.apache.kafka.storage.internals.log.ProducerStateManager;
import org.apache.kafka.storage.internals.log.SnapshotFile;
import org.apache.kafka.storage.internals.log.VerificationGuard;
import org.apache.kafka.storage.internals.log.VerificationStateEntry;
import org.jspecify.annotations.Nullable;

/**
 * What the log knows of idempotent and transactional producers (KIP-98, KIP-890): Kafka's own
 * bookkeeping, in the order in which we write. Guarded by the log's lock.
 *
 * <p>Kafka's class writes snapshots beside our port for the disk; they are forced at seal.
 */
final class ProducerStates {
  /** A batch of a producer, and what it will change once it is written. */
  record Judged(
      @Nullable BatchMetadata duplicate,
      Collection<ProducerAppendInfo> updates,
      List<CompletedTxn> completed) {
    static final Judged NOTHING = new Judged(null, List.of(), List.of());
  }

  /** What a cut reads again is between one and two of these stretches, of headers and bytes. */
  private static final int STRETCH_BATCHES = 4096;

  private static final int STRETCH_BYTES = 32 << 20;
  private static final int STRETCHES_KEPT = 3;

  private final ProducerStateManager states;
  private final BatchBounds bounds;

  /** Offsets of snapshots within segments, ascending. */
  private final ArrayDeque<Long> between = new ArrayDeque<>();

  /** Of the newest snapshot that stays; above all while that is not known. */
  private long stays;

  /** Of the newest within a segment that went since, because there were newer ones. */
  private long dropped = -1;

  private long batchesSince;
  private long bytesSince;

  /**
   * Whether every producer that ever wrote to this log is known: none expired, none was cut off,
   * none was compacted away in the log that this is a copy of.
   */
  private boolean complete;

  ProducerStates(TopicPartition partition, Path directory, LogRuntime runtime) throws IOException {
    LogSettings settings = runtime.settings();
    this.bounds = settings.bounds();
    try {
      states =
          new ProducerStateManager(
              partition,
              directory.toFile(),
              settings.transactionMaxTimeoutMs(),
              settings.producers(),
              new KafkaTime(runtime.clock()));
    } catch (NumberFormatException e) {
      throw new KafkaStorageException(
          "a snapshot without an offset in its name in " + directory, e);
    }
  }

  /**
   * Checks sequence, epoch and transaction of numbered batches; changes nothing that outlives a
   * failed write but the verification of a transaction.
   */
  Judged judge(Iterable<? extends RecordBatch> batches, AppendTerms terms) {
    Map<Long, ProducerAppendInfo> updates = Map.of();
    List<CompletedTxn> completed = List.of();
    for (RecordBatch batch : batches) {
      if (!batch.hasProducerId()) {
        continue;
      }
      if (terms.origin() == AppendOrigin.CLIENT) {
        BatchMetadata duplicate = duplicateOf(batch);
        if (duplicate != null) {
          return new Judged(duplicate, List.of(), List.of());
        }
      }
      if (terms.origin() != AppendOrigin.REPLICATION) {
        requireVerified(batch, terms.guard());
      }
      ProducerAppendInfo info = updates.get(batch.producerId());
      if (info == null) {
        if (terms.origin() == AppendOrigin.CLIENT) {
          requireBeginning(batch);
        }
        info = states.prepareUpdate(batch.producerId(), terms.origin());
        updates = with(updates, info);
      }
      Optional<CompletedTxn> done = update(batch, info, terms);
      if (done.isPresent()) {
        completed = completed.isEmpty() ? new ArrayList<>(1) : completed;
        completed.add(done.get());
      }
    }
    return updates.isEmpty() ? Judged.NOTHING : new Judged(null, updates.values(), completed);
  }

  /** In order of arrival; light for the one producer that a client's append has. */
  private static Map<Long, ProducerAppendInfo> with(
      Map<Long, ProducerAppendInfo> updates, ProducerAppendInfo info) {
    if (updates.isEmpty()) {
      return Map.of(info.producerId(), info);
    }
    Map<Long, ProducerAppendInfo> more =
        updates.size() == 1 ? new LinkedHashMap<>(updates) : updates;
    more.put(info.producerId(), info);
    return more;
  }

  /** One of the producer's last five batches, if this is it again. */
  private @Nullable BatchMetadata duplicateOf(RecordBatch batch) {
    ProducerStateEntry entry = states.lastEntry(batch.producerId()).orElse(null);
    if (entry == null || entry.producerEpoch() != batch.producerEpoch()) {
      return null;
    }
    for (BatchMetadata known : entry.batchMetadata()) {
      if (known.firstSeq() == batch.baseSequence() && known.lastSeq() == batch.lastSequence()) {
        return known;
      }
    }
    return null;
  }

  /**
   * Kafka takes the first batch of an unknown producer at any sequence, since it may have forgotten
   * the producer. Here that is refused where nothing can have been forgotten: else, of two requests
   * under way while the leader changes, the first is refused and the second accepted, and the
   * first, sent again, is out of order until the producer gives it up.
   */
  private void requireBeginning(RecordBatch batch) {
    if (complete && batch.baseSequence() > 0 && states.lastEntry(batch.producerId()).isEmpty()) {
      throw new OutOfOrderSequenceException(
          "producer "
              + batch.producerId()
              + " begins with sequence "
              + batch.baseSequence()
              + " in a log that has forgotten none");
    }
  }

  private Optional<CompletedTxn> update(
      RecordBatch batch, ProducerAppendInfo info, AppendTerms terms) {
    Optional<LogOffsetMetadata> first =
        batch.isTransactional()
            ? Optional.of(new LogOffsetMetadata(batch.baseOffset()))
            : Optional.empty();
    Optional<CompletedTxn> done = info.append(batch, first, terms.transactionVersion());
    if (batch.isTransactional()) {
      endVerification(batch);
    }
    return done;
  }

  /** A marker of version 2 may be followed by a transaction of the same epoch that is verified. */
  private void endVerification(RecordBatch batch) {
    VerificationStateEntry entry = states.verificationStateEntry(batch.producerId());
    boolean nextBegan =
        entry != null
            && entry.supportsEpochBump()
            && batch.isControlBatch()
            && batch.producerEpoch() == entry.epoch();
    if (!nextBegan) {
      states.clearVerificationStateEntry(batch.producerId());
    }
  }

  private void requireVerified(RecordBatch batch, VerificationGuard guard) {
    if (!batch.isTransactional() || open(batch.producerId(), batch.producerEpoch())) {
      return;
    }
    requireEpoch(batch.producerId(), batch.producerEpoch());
    if (batch.isControlBatch()
        || !states.producerStateManagerConfig().transactionVerificationEnabled()) {
      return;
    }
    VerificationStateEntry entry = states.verificationStateEntry(batch.producerId());
    if (entry == null || !entry.verificationGuard().verify(guard)) {
      throw new InvalidTxnStateException("Record was not part of an ongoing transaction");
    }
  }

  private void requireEpoch(long producerId, short epoch) {
    ProducerStateEntry entry = states.activeProducers().get(producerId);
    if (entry != null && epoch < entry.producerEpoch()) {
      throw new InvalidProducerEpochException(
          "Epoch of producer "
              + producerId
              + " is "
              + epoch
              + ", which is smaller than the last seen epoch "
              + entry.producerEpoch());
    }
  }

  private boolean open(long producerId, short epoch) {
    ProducerStateEntry entry = states.activeProducers().get(producerId);
    return entry != null
        && entry.currentTxnFirstOffset().isPresent()
        && entry.producerEpoch() == epoch;
  }

  VerificationGuard beginVerification(
      long producerId, int sequence, short epoch, boolean supportsEpochBump) {
    requireEpoch(producerId, epoch);
    return open(producerId, epoch)
        ? VerificationGuard.SENTINEL
        : states
            .maybeCreateVerificationStateEntry(producerId, sequence, epoch, supportsEpochBump)
            .verificationGuard();
  }

  /** What was judged is written. */
  void accept(Judged judged, AbortedIndex aborted, long endOffset) throws IOException {
    judged.updates.forEach(states::update);
    for (CompletedTxn transaction : judged.completed) {
      complete(transaction, aborted);
    }
    states.updateMapEndOffset(endOffset);
  }

  private void complete(CompletedTxn transaction, @Nullable AbortedIndex aborted)
      throws IOException {
    if (transaction.isAborted() && aborted != null) {
      aborted.append(
          new AbortedTransaction(
              transaction.producerId(),
              transaction.firstOffset(),
              transaction.lastOffset(),
              states.lastStableOffset(transaction)));
    }
    states.completeTxn(transaction);
  }

  /**
   * Learns a batch that is in the log already.
   *
   * @param aborted to be rebuilt, or null when it is sound
   * @throws KafkaStorageException if it is a marker that nobody can have written
   */
  void replay(RecordBatch batch, @Nullable AbortedIndex aborted) throws IOException {
    if (batch.hasProducerId()) {
      ProducerAppendInfo info = states.prepareUpdate(batch.producerId(), AppendOrigin.REPLICATION);
      Optional<CompletedTxn> done = replay(batch, info);
      states.update(info);
      if (done.isPresent()) {
        complete(done.get(), aborted);
      }
    }
    states.updateMapEndOffset(batch.lastOffset() + 1);
  }

  /** Of control batches the records are read too. */
  private Optional<CompletedTxn> replay(RecordBatch batch, ProducerAppendInfo info) {
    try {
      return batch.isControlBatch()
          ? bounds.decode(
              batch,
              BufferSupplier.NO_CACHING,
              () -> info.append(batch, Optional.empty(), (short) 0))
          : info.append(batch, Optional.empty(), (short) 0);
    } catch (ApiException e) {
      throw new KafkaStorageException(
          "no marker of a transaction at offset " + batch.lastOffset(), e);
    }
  }

  /**
   * So much was written. Now and then that is worth a snapshot: a follower that is cut, as each may
   * be when its leader changes, has not to read a whole segment then to know its producers.
   */
  void wrote(int batches, int sizeBytes) throws IOException {
    boolean due = snapshotDue(batches, sizeBytes, false);
    batchesSince += batches;
    bytesSince += sizeBytes;
    if (!due) {
      return;
    }
    batchesSince = 0;
    bytesSince = 0;
    if (states.takeSnapshot(false).isPresent()) {
      between.add(states.mapEndOffset());
      if (between.size() > STRETCHES_KEPT) {
        dropped = between.remove();
        drop(dropped);
      }
    }
  }

  /**
   * Whether a snapshot comes with what is written next.
   *
   * @param known it is a producer's: there is one then, if there was none
   */
  boolean snapshotDue(int batches, int sizeBytes, boolean known) {
    long count = batchesSince + batches;
    return (count >= STRETCH_BATCHES || bytesSince + sizeBytes >= STRETCH_BYTES)
        && count >= states.activeProducers().size() // each of which it writes
        && (known || !states.isEmpty());
  }

  private void drop(long offset) throws IOException {
    Optional<SnapshotFile> gone = states.removeAndMarkSnapshotForDeletion(offset);
    if (gone.isPresent()) {
      var unused = gone.get().deleteIfExists();
    }
  }

  /**
   * Loads a snapshot at or below the offset and forgets what is above. Of those within segments not
   * the newest, if another is near: it knows the last batch of each producer, and of those before,
   * which may be sent again, only what is read after it.
   */
  void load(long logStartOffset, long endOffset, long nowMs) throws IOException {
    complete = false;
    between.removeIf(offset -> offset > endOffset);
    if (between.size() > 1 || (between.size() == 1 && firstSinceOneThatStays(between.getLast()))) {
      drop(between.removeLast());
    }
    stays = stays > endOffset ? Long.MAX_VALUE : stays;
    batchesSince = 0;
    bytesSince = 0;
    states.truncateAndReload(logStartOffset, endOffset, nowMs);
  }

  /** Whether none has gone between it and the newest that stays, or the log's beginning. */
  private boolean firstSinceOneThatStays(long offset) {
    return dropped <= stays && stays < offset;
  }

  /** Whether there is nothing to replay up to the offset: no producer was known before a cut. */
  boolean noneBelow(long offset) {
    return states.isEmpty() && states.mapEndOffset() >= offset;
  }

  long mapEndOffset() {
    return states.mapEndOffset();
  }

  void advanceTo(long offset) {
    states.updateMapEndOffset(offset);
  }

  /**
   * Writes a snapshot at the map's end if there is none, its bytes forced only if asked to. It is
   * one that stays.
   *
   * @return whether there is a new name now
   */
  boolean snapshot(boolean force) throws IOException {
    stays = states.mapEndOffset();
    dropped = -1;
    var unused = between.remove(stays);
    batchesSince = 0;
    bytesSince = 0;
    return states.takeSnapshot(force).isPresent();
  }

  Optional<Path> snapshotAt(long offset) {
    return states.fetchSnapshot(offset).map(File::toPath);
  }

  void deleteSnapshotsBefore(long offset) throws IOException {
    states.deleteSnapshotsBefore(offset);
  }

  void removeStraySnapshots(Collection<Long> baseOffsets) throws IOException {
    states.removeStraySnapshots(baseOffsets);
  }

  /** The log is new and empty. */
  void beginComplete() {
    complete = true;
  }

  /** It is copied from one that was compacted: who wrote what is missing may be unknown. */
  void missesSome() {
    complete = false;
  }

  void truncateFullyAndStartAt(long offset) throws IOException {
    complete = false;
    between.clear();
    stays = offset;
    dropped = -1;
    states.truncateFullyAndStartAt(offset);
  }

  void logStartAdvanced(long logStartOffset) {
    states.onLogStartOffsetIncremented(logStartOffset);
  }

  OptionalLong firstUnstableOffset(long highWatermark) {
    states.onHighWatermarkUpdated(highWatermark);
    return states
        .firstUnstableOffset()
        .map(offset -> OptionalLong.of(offset.messageOffset))
        .orElseGet(OptionalLong::empty);
  }

  void removeExpired(long nowMs) {
    int before = states.activeProducers().size();
    states.removeExpiredProducers(nowMs);
    complete &= states.activeProducers().size() == before;
  }

  void moved(Path directory) {
    states.updateParentDir(directory.toFile());
  }

  Map<Long, ProducerStateEntry> active() {
    return states.activeProducers();
  }

  List<DescribeProducersResponseData.ProducerState> describe() {
    return states.activeProducers().entrySet().stream()
        .map(
            producer ->
                new DescribeProducersResponseData.ProducerState()
                    .setProducerId(producer.getKey())
                    .setProducerEpoch(producer.getValue().producerEpoch())
                    .setLastSequence(lastSequence(producer.getValue()))
                    .setLastTimestamp(producer.getValue().lastTimestamp())
                    .setCoordinatorEpoch(producer.getValue().coordinatorEpoch())
                    .setCurrentTxnStartOffset(
                        producer.getValue().currentTxnFirstOffset().orElse(-1L)))
        .toList();
  }

  private static int lastSequence(ProducerStateEntry entry) {
    int last = RecordBatch.NO_SEQUENCE;
    for (BatchMetadata batch : entry.batchMetadata()) {
      last = batch.lastSeq();
    }
    return last;
  }
}
