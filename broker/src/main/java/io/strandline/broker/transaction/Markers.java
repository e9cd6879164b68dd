package io.strandline.broker.transaction;

import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.WriteTxnMarkersRequest.TxnMarkerEntry;

/** Writes the control records that end a transaction into partitions that one broker leads. */
@FunctionalInterface
public interface Markers {
  /**
   * An error for each partition of the marker, once it is in the log of all replicas in sync or
   * refused; never fails. Written twice it says the same.
   */
  CompletableFuture<Map<TopicPartition, Errors>> write(TxnMarkerEntry marker);
}
