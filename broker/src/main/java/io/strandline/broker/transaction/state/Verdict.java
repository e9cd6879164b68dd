package io.strandline.broker.transaction.state;

import org.apache.kafka.common.protocol.Errors;

/** What a rule says to a request. */
public sealed interface Verdict {

  /** No, and nothing changes. */
  record Refused(Errors error) implements Verdict {}

  /** It is so already: a request sent again. */
  record Granted(Transaction now) implements Verdict {}

  /** Yes, once this is in the log. */
  record Changed(Transaction next) implements Verdict {}

  /** Ask again with a producer id that was never given out. */
  record NeedsProducerId() implements Verdict {}

  static Verdict refused(Errors error) {
    return new Refused(error);
  }
}
