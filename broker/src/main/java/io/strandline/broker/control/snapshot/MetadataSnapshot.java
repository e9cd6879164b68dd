package io.strandline.broker.control.snapshot;

import java.nio.ByteBuffer;

/**
 * A snapshot as it stands in Kafka's {@code .checkpoint} files.
 *
 * @param endOffset offset after the last metadata record contained
 * @param epoch of the quorum's leader that wrote that record
 * @param bytes the file; position 0
 */
public record MetadataSnapshot(long endOffset, int epoch, ByteBuffer bytes) {}
