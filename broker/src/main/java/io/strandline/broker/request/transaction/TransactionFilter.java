package io.strandline.broker.request.transaction;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import io.strandline.broker.transaction.state.Transaction;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.common.errors.InvalidRegularExpression;
import org.apache.kafka.common.message.ListTransactionsRequestData;
import org.apache.kafka.coordinator.transaction.TransactionState;

/**
 * Which transactions a list shall have; a condition that is empty lets all pass.
 *
 * @param states of these, unless none was named
 * @param unknownStates named, but no states
 * @param begunBeforeMs begun before this; empty for any time
 * @param ids matched in time linear in what is matched: a client chooses the pattern
 */
record TransactionFilter(
    Set<Long> producerIds,
    Optional<Set<TransactionState>> states,
    List<String> unknownStates,
    Optional<Long> begunBeforeMs,
    Optional<Pattern> ids) {

  /**
   * @throws InvalidRegularExpression if the pattern of transactional ids is none
   */
  static TransactionFilter of(ListTransactionsRequestData asked, long nowMs) {
    Set<TransactionState> states = EnumSet.noneOf(TransactionState.class);
    List<String> unknown = new ArrayList<>();
    for (String name : asked.stateFilters()) {
      TransactionState.fromName(name).ifPresentOrElse(states::add, () -> unknown.add(name));
    }
    return new TransactionFilter(
        new HashSet<>(asked.producerIdFilters()),
        asked.stateFilters().isEmpty() ? Optional.empty() : Optional.of(states),
        unknown,
        asked.durationFilter() < 0 ? Optional.empty() : Optional.of(nowMs - asked.durationFilter()),
        Optional.ofNullable(asked.transactionalIdPattern())
            .filter(pattern -> !pattern.isEmpty())
            .map(TransactionFilter::compiled));
  }

  private static Pattern compiled(String pattern) {
    try {
      return Pattern.compile(pattern);
    } catch (PatternSyntaxException e) {
      throw new InvalidRegularExpression(
          "Transaction ID pattern `"
              + pattern
              + "` is not a valid regular expression: "
              + e.getMessage()
              + ".");
    }
  }

  boolean takes(Transaction transaction) {
    return (producerIds.isEmpty() || producerIds.contains(transaction.producer().id()))
        && states.map(wanted -> wanted.contains(transaction.state())).orElse(true)
        && begunBeforeMs.map(before -> transaction.timing().startMs() < before).orElse(true);
  }

  boolean takes(String transactionalId) {
    return ids.map(pattern -> pattern.matcher(transactionalId).matches()).orElse(true);
  }
}
