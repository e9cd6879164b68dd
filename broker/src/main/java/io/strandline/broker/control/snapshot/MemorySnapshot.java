package io.strandline.broker.control.snapshot;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Records;
import org.apache.kafka.common.record.internal.UnalignedMemoryRecords;
import org.apache.kafka.common.record.internal.UnalignedRecords;
import org.apache.kafka.server.common.OffsetAndEpoch;
import org.apache.kafka.snapshot.RawSnapshotReader;
import org.apache.kafka.snapshot.RawSnapshotWriter;

/** Kafka's snapshot file in memory. */
final class MemorySnapshot implements RawSnapshotWriter, RawSnapshotReader {
  private final OffsetAndEpoch id;
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final WritableByteChannel out = Channels.newChannel(bytes);
  private boolean frozen;

  MemorySnapshot(OffsetAndEpoch id) {
    this.id = id;
  }

  static MemorySnapshot of(MetadataSnapshot snapshot) {
    MemorySnapshot read =
        new MemorySnapshot(new OffsetAndEpoch(snapshot.endOffset(), snapshot.epoch()));
    read.write(snapshot.bytes().duplicate());
    read.frozen = true;
    return read;
  }

  MetadataSnapshot finished() {
    return new MetadataSnapshot(id.offset(), id.epoch(), ByteBuffer.wrap(bytes.toByteArray()));
  }

  @Override
  public OffsetAndEpoch snapshotId() {
    return id;
  }

  @Override
  public long sizeInBytes() {
    return bytes.size();
  }

  @Override
  public void append(UnalignedMemoryRecords records) {
    write(records.buffer());
  }

  @Override
  public void append(MemoryRecords records) {
    write(records.buffer());
  }

  private void write(ByteBuffer from) {
    try {
      while (from.hasRemaining()) {
        out.write(from);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e); // memory does not fail
    }
  }

  @Override
  public boolean isFrozen() {
    return frozen;
  }

  @Override
  public void freeze() {
    frozen = true;
  }

  @Override
  public UnalignedRecords slice(long position, int size) {
    return new UnalignedMemoryRecords(
        ByteBuffer.wrap(bytes.toByteArray(), Math.toIntExact(position), size).slice());
  }

  @Override
  public Records records() {
    return MemoryRecords.readableRecords(ByteBuffer.wrap(bytes.toByteArray()));
  }

  @Override
  public void close() {}
}
