package io.strandline.broker.request.transaction;

import org.apache.kafka.common.protocol.Errors;

/** PRODUCER_FENCED for clients from before it (KIP-588). */
final class Fenced {
  private Fenced() {}

  static Errors as(Errors error, boolean known) {
    return error == Errors.PRODUCER_FENCED && !known ? Errors.INVALID_PRODUCER_EPOCH : error;
  }
}
