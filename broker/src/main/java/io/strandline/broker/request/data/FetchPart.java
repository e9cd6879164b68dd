package io.strandline.broker.request.data;

import io.strandline.broker.log.LogRead;
import io.strandline.broker.log.PartitionLog.EpochEnd;
import io.strandline.broker.partition.PartitionRead;
import io.strandline.broker.replica.TierMark;
import io.strandline.broker.request.NewLeaders;
import io.strandline.broker.request.SliceRecords;
import io.strandline.replay.ReplayRead;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.message.FetchResponseData.AbortedTransaction;
import org.apache.kafka.common.message.FetchResponseData.EpochEndOffset;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.BaseRecords;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.UnalignedFileRecords;
import org.apache.kafka.common.requests.FetchResponse;
import org.jspecify.annotations.Nullable;

/**
 * What one partition adds to a response.
 *
 * @param marks null with an error that precedes them
 * @param slow still being read, or the tier did not answer: nothing yet, ask again, which for the
 *     latter an error says that clients repeat by themselves
 * @param settled said at once and not taken back in the same response, whatever comes meanwhile: an
 *     error, or something else than records
 * @param more what there is to tell instead of records
 * @param release gives back what the records point to; called once
 */
record FetchPart(
    PartitionRead.@Nullable Marks marks,
    Errors error,
    BaseRecords records,
    @Nullable List<AbortedTransaction> aborted,
    boolean slow,
    boolean settled,
    Consumer<PartitionData> more,
    Runnable release) {
  private static final short STORAGE_ERROR_SINCE = 6;

  private FetchPart(
      PartitionRead.@Nullable Marks marks,
      Errors error,
      BaseRecords records,
      @Nullable List<AbortedTransaction> aborted,
      boolean slow,
      Runnable release) {
    this(marks, error, records, aborted, slow, false, data -> {}, release);
  }

  /** A follower's history parts from this one, and it has to cut its log. */
  static FetchPart diverging(PartitionRead.Marks marks, EpochEnd end) {
    return told(
        marks,
        data ->
            data.setDivergingEpoch(
                new EpochEndOffset().setEpoch(end.leaderEpoch()).setEndOffset(end.endOffset())));
  }

  /** Another replica is nearer to the client (KIP-392). */
  static FetchPart elsewhere(PartitionRead.Marks marks, int broker) {
    return told(marks, data -> data.setPreferredReadReplica(broker));
  }

  /** The reader has its records from the tier. */
  static FetchPart left(PartitionRead.Marks marks) {
    return told(marks, data -> {});
  }

  private static FetchPart told(PartitionRead.Marks marks, Consumer<PartitionData> more) {
    return new FetchPart(
        marks, Errors.NONE, MemoryRecords.EMPTY, null, false, true, more, FetchPart::nothing);
  }

  static FetchPart failed(Errors error, PartitionRead.@Nullable Marks marks) {
    return new FetchPart(
        marks, error, MemoryRecords.EMPTY, null, false, true, data -> {}, FetchPart::nothing);
  }

  static FetchPart slow(PartitionRead.@Nullable Marks marks) {
    return new FetchPart(marks, Errors.NONE, MemoryRecords.EMPTY, null, true, FetchPart::nothing);
  }

  /** The tier did not answer. Told when the fetch ends anyway: who is told asks again at once. */
  static FetchPart away(Errors error, PartitionRead.@Nullable Marks marks) {
    return new FetchPart(marks, error, MemoryRecords.EMPTY, null, true, FetchPart::nothing);
  }

  /**
   * @param aborted null unless the reader wants committed records only
   * @param copyBytes up to this size the records are copied and the file is let go at once
   */
  static FetchPart of(
      PartitionRead.Marks marks,
      LogRead read,
      @Nullable List<AbortedTransaction> aborted,
      int copyBytes) {
    if (read.sizeBytes() <= copyBytes) {
      try (read) {
        return new FetchPart(
            marks, Errors.NONE, read.toMemory(), aborted, false, FetchPart::nothing);
      }
    }
    BaseRecords region =
        new UnalignedFileRecords(read.channel(), read.positionBytes(), read.sizeBytes());
    return new FetchPart(marks, Errors.NONE, region, aborted, false, read::close);
  }

  /**
   * @param zstdRefused as below
   */
  static FetchPart of(PartitionRead.Passed read, boolean zstdRefused) {
    return zstdRefused && OldCodecs.zstd(List.of(read.records().buffer()))
        ? failed(Errors.UNSUPPORTED_COMPRESSION_TYPE, read.marks())
        : new FetchPart(
            read.marks(), Errors.NONE, read.records(), read.aborted(), false, FetchPart::nothing);
  }

  /**
   * @param zstdRefused the tier may have chosen it, for a client that is too old to know it
   */
  static FetchPart of(
      PartitionRead.Marks marks, ReplayRead read, boolean committedOnly, boolean zstdRefused) {
    if (zstdRefused && OldCodecs.zstd(read.slices())) {
      read.close();
      return failed(Errors.UNSUPPORTED_COMPRESSION_TYPE, marks);
    }
    if (read.sizeBytes() == 0) {
      read.close();
      return new FetchPart(
          marks, Errors.NONE, MemoryRecords.EMPTY, null, false, FetchPart::nothing);
    }
    List<AbortedTransaction> aborted =
        committedOnly
            ? read.abortedTransactions().stream()
                .map(
                    range ->
                        new AbortedTransaction()
                            .setProducerId(range.producerId())
                            .setFirstOffset(range.firstOffset()))
                .toList()
            : null;
    BaseRecords records = new SliceRecords(read.slices(), read::wanted);
    return new FetchPart(marks, Errors.NONE, records, aborted, false, read::close);
  }

  private static void nothing() {}

  int sizeBytes() {
    return records.sizeInBytes();
  }

  boolean history() {
    return records instanceof SliceRecords;
  }

  boolean failed() {
    return error != Errors.NONE;
  }

  /**
   * @param tier told to followers
   * @param version of the fetch: to old clients a failed disk is a leader that went away, as they
   *     ask again for that alone
   */
  PartitionData data(int partition, Optional<TierMark> tier, short version) {
    Errors told =
        error == Errors.KAFKA_STORAGE_ERROR && version < STORAGE_ERROR_SINCE
            ? Errors.NOT_LEADER_OR_FOLLOWER
            : error;
    PartitionData data = data(partition).setErrorCode(told.code());
    tier.ifPresent(mark -> data.unknownTaggedFields().add(mark.encode()));
    return data;
  }

  private PartitionData data(int partition) {
    PartitionData data =
        new PartitionData()
            .setPartitionIndex(partition)
            .setHighWatermark(FetchResponse.INVALID_HIGH_WATERMARK)
            .setAbortedTransactions(aborted)
            .setRecords(records);
    if (marks != null) {
      data.setHighWatermark(marks.highWatermark())
          .setLastStableOffset(marks.lastStableOffset())
          .setLogStartOffset(marks.logStartOffset());
    }
    more.accept(data);
    return data;
  }

  /** The leader that a partition has now, if it is led here no more. */
  static void tell(NewLeaders leaders, TopicIdPartition id, PartitionData one) {
    leaders.tell(
        one.errorCode(),
        id.topicId(),
        id.topic(),
        id.partition(),
        (leader, epoch) -> one.currentLeader().setLeaderId(leader).setLeaderEpoch(epoch));
  }
}
