package io.strandline.broker.transaction.state;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.TransactionResult;
import org.apache.kafka.common.utils.ProducerIdAndEpoch;
import org.apache.kafka.coordinator.transaction.TransactionState;
import org.apache.kafka.server.common.TransactionVersion;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a producer of the old protocol is told that asks for an end twice. */
class PlainEndTest {
  private static final ProducerIdentity PRODUCER =
      new ProducerIdentity(7, (short) 3, (short) -1, 7, -1);

  private static Verdict end(Transaction now, TransactionResult result) {
    return new PlainEnd(new ProducerIdAndEpoch(7, (short) 3), result, 2).decide(now);
  }

  /** As Apache Kafka's coordinator does: an end that will never be has no use in being retried. */
  @ParameterizedTest
  @CsvSource({
    "COMMIT, COMMIT, CONCURRENT_TRANSACTIONS",
    "COMMIT, ABORT, INVALID_TXN_STATE",
    "ABORT, ABORT, CONCURRENT_TRANSACTIONS",
    "ABORT, COMMIT, INVALID_TXN_STATE"
  })
  void whileOneEndIsUnderWayTheOtherIsAnError(
      TransactionResult first, TransactionResult second, Errors told) {
    Transaction open =
        new Transaction(
                TransactionState.EMPTY,
                PRODUCER,
                Set.of(),
                new Timing(100, -1, 0),
                TransactionVersion.TV_0)
            .with(Set.of(new TopicPartition("t", 0)), TransactionVersion.TV_0, 1);
    Transaction prepared = ((Verdict.Changed) end(open, first)).next();
    assertThat(end(prepared, second)).isEqualTo(Verdict.refused(told));
  }
}
