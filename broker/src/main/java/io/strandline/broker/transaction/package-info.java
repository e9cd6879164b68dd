/**
 * The transaction coordinator (KIP-98, 360, 447, 588, 664, 890): the state of transactional ids in
 * {@code __transaction_state}, with Kafka's schemas, on Kafka's {@code CoordinatorRuntime}; the
 * markers that end a transaction; and the verification of partitions before records are appended.
 *
 * <p>What a request may change is decided in {@code state}, without threads and clocks. What is
 * decided is in the log before anybody is told, and markers go out only afterwards: whoever leads
 * the partition next finds what was decided and writes them.
 */
@NullMarked
package io.strandline.broker.transaction;

import org.jspecify.annotations.NullMarked;
