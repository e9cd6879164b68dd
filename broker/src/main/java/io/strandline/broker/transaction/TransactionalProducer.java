package io.strandline.broker.transaction;

import org.apache.kafka.common.utils.ProducerIdAndEpoch;

/** Who writes in a transaction. */
public record TransactionalProducer(String transactionalId, long producerId, short epoch) {
  ProducerIdAndEpoch identity() {
    return new ProducerIdAndEpoch(producerId, epoch);
  }
}
