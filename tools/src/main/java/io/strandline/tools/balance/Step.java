package io.strandline.tools.balance;

import java.util.HashSet;
import java.util.List;
import org.apache.kafka.common.TopicPartition;

/**
 * One change of where a partition lies or who leads it. Afterwards the first of {@code to} leads.
 *
 * @param from replicas before, in their order
 * @param to replicas after
 * @param why for a person
 * @param copyBytes what brokers copy from each other for it
 */
public record Step(
    TopicPartition partition,
    List<Integer> from,
    List<Integer> to,
    Reason reason,
    String why,
    long copyBytes) {
  /** Why something is moved. */
  public enum Reason {
    /** A broker is to hold nothing. */
    DRAIN,
    /** A broker is to lead nothing. */
    LEADERS,
    /** Replicas share a rack, and need not. */
    RACK,
    /** Brokers carry more than others. */
    LOAD,
    /** Another replica leads than the one that should. */
    PREFERRED
  }

  /** Whether replicas lie elsewhere afterwards; otherwise another one leads. */
  public boolean moves() {
    return !new HashSet<>(from).equals(new HashSet<>(to));
  }

  /** Whether the assignment stays and only the leader changes. */
  public boolean electsOnly() {
    return from.equals(to);
  }

  /** Brokers that get a replica. */
  public List<Integer> added() {
    return to.stream().filter(id -> !from.contains(id)).toList();
  }
}
