package io.strandline.broker.transaction.state;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.TransactionResult;
import org.apache.kafka.common.utils.ProducerIdAndEpoch;
import org.apache.kafka.coordinator.transaction.TransactionState;
import org.apache.kafka.server.common.TransactionVersion;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Who says that a transaction is complete says which. */
class MarkedEndTest {
  private static final ProducerIdentity PRODUCER =
      new ProducerIdentity(7, (short) 3, (short) -1, 7, -1);

  /** By the old protocol: the epoch stays. */
  private static Transaction prepared(Transaction before, int partition, long atMs) {
    Transaction open =
        before.with(Set.of(new TopicPartition("t", partition)), TransactionVersion.TV_0, atMs);
    PlainEnd end =
        new PlainEnd(new ProducerIdAndEpoch(7, (short) 3), TransactionResult.COMMIT, atMs);
    return ((Verdict.Changed) end.decide(open)).next();
  }

  private static Transaction complete(Transaction prepared, long atMs) {
    return ((Verdict.Changed) new MarkedEnd(prepared, atMs).decide(prepared)).next();
  }

  private static final Transaction FIRST =
      prepared(
          new Transaction(
              TransactionState.EMPTY,
              PRODUCER,
              Set.of(),
              new Timing(100, -1, 0),
              TransactionVersion.TV_0),
          0,
          1);

  @Test
  void itsOwnTransactionIsComplete() {
    Transaction now = complete(FIRST, 2);
    assertThat(now.state()).isEqualTo(TransactionState.COMPLETE_COMMIT);
    assertThat(now.partitions()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void theNextOfTheSameEpochWaitsForItsOwnMarkers(int partition) {
    Transaction next = prepared(complete(FIRST, 2), partition, 3);
    assertThat(next.producer()).isEqualTo(FIRST.producer());
    assertThat(new MarkedEnd(FIRST, 4).decide(next))
        .isEqualTo(Verdict.refused(Errors.INVALID_TXN_STATE));
  }

  @Test
  void whatIsCompleteOrForgottenIsNotCompletedAgain() {
    MarkedEnd again = new MarkedEnd(FIRST, 4);
    assertThat(again.decide(complete(FIRST, 2)))
        .isEqualTo(Verdict.refused(Errors.INVALID_TXN_STATE));
    assertThat(again.decide(null)).isEqualTo(Verdict.refused(Errors.INVALID_TXN_STATE));
  }
}
