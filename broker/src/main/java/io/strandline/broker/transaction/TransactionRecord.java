package io.strandline.broker.transaction;

import io.strandline.broker.transaction.state.Transaction;
import org.jspecify.annotations.Nullable;

/**
 * A record of {@code __transaction_state}.
 *
 * @param transaction null when the transactional id is forgotten
 */
record TransactionRecord(String transactionalId, @Nullable Transaction transaction) {}
