package io.strandline.broker.control.snapshot;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.common.errors.CorruptRecordException;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.utils.BufferSupplier;
import org.apache.kafka.common.utils.LogContext;
import org.apache.kafka.image.MetadataImage;
import org.apache.kafka.image.writer.ImageWriterOptions;
import org.apache.kafka.image.writer.RaftSnapshotWriter;
import org.apache.kafka.metadata.MetadataRecordSerde;
import org.apache.kafka.raft.Batch;
import org.apache.kafka.raft.ControlRecord;
import org.apache.kafka.raft.KafkaRaftClient;
import org.apache.kafka.raft.VoterSet;
import org.apache.kafka.server.common.ApiMessageAndVersion;
import org.apache.kafka.server.common.KRaftVersion;
import org.apache.kafka.server.common.OffsetAndEpoch;
import org.apache.kafka.snapshot.RawSnapshotWriter;
import org.apache.kafka.snapshot.RecordsSnapshotReader;
import org.apache.kafka.snapshot.RecordsSnapshotWriter;

/** Between metadata and the bytes of its snapshot. */
final class SnapshotCodec {
  private static final int RECORDS_A_BATCH = 1024;

  private SnapshotCodec() {}

  /** All that the image knows; of the quorum's voters nothing. */
  static MetadataSnapshot encode(MetadataImage image) {
    MemorySnapshot out =
        new MemorySnapshot(
            new OffsetAndEpoch(
                image.highestOffsetAndEpoch().offset() + 1, image.highestOffsetAndEpoch().epoch()));
    RaftSnapshotWriter writer =
        new RaftSnapshotWriter(
            open(
                out,
                KRaftVersion.KRAFT_VERSION_0,
                Optional.empty(),
                image.provenance().lastContainedLogTimeMs()),
            RECORDS_A_BATCH);
    image.write(
        writer,
        new ImageWriterOptions.Builder(image.features().metadataVersionOrThrow())
            .setEligibleLeaderReplicasEnabled(image.features().isElrEnabled())
            .build());
    writer.close(true);
    return out.finished();
  }

  /** Records as a snapshot that a quorum begins with. */
  static void write(
      RawSnapshotWriter out,
      List<ApiMessageAndVersion> records,
      Optional<VoterSet> voters,
      long timestampMs) {
    KRaftVersion version =
        voters.isPresent() ? KRaftVersion.KRAFT_VERSION_1 : KRaftVersion.KRAFT_VERSION_0;
    RaftSnapshotWriter writer =
        new RaftSnapshotWriter(open(out, version, voters, timestampMs), RECORDS_A_BATCH);
    records.forEach(writer::write);
    writer.close(true);
  }

  private static RecordsSnapshotWriter<ApiMessageAndVersion> open(
      RawSnapshotWriter out, KRaftVersion version, Optional<VoterSet> voters, long timestampMs) {
    return new RecordsSnapshotWriter.Builder()
        .setLastContainedLogTimestamp(timestampMs)
        .setMaxBatchSizeBytes(KafkaRaftClient.MAX_BATCH_SIZE_BYTES)
        .setRawSnapshotWriter(out)
        .setKraftVersion(version)
        .setVoterSet(voters)
        .build(new MetadataRecordSerde());
  }

  /**
   * The metadata records of a snapshot.
   *
   * @throws CorruptRecordException if it is damaged or not whole
   */
  static List<ApiMessageAndVersion> decode(MetadataSnapshot snapshot) {
    List<ApiMessageAndVersion> records = new ArrayList<>();
    boolean whole = false;
    try (RecordsSnapshotReader<ApiMessageAndVersion> reader =
        RecordsSnapshotReader.of(
            MemorySnapshot.of(snapshot),
            new MetadataRecordSerde(),
            BufferSupplier.create(),
            KafkaRaftClient.MAX_BATCH_SIZE_BYTES,
            true,
            new LogContext())) {
      while (reader.hasNext()) {
        Batch<ApiMessageAndVersion> batch = reader.next();
        records.addAll(batch.records());
        for (ControlRecord control : batch.controlRecords()) {
          whole = control.type() == ControlRecordType.SNAPSHOT_FOOTER;
        }
      }
    } catch (RuntimeException damaged) {
      throw new CorruptRecordException("a damaged snapshot: " + damaged.getMessage(), damaged);
    }
    if (!whole) {
      throw new CorruptRecordException("a snapshot without its end");
    }
    return records;
  }
}
