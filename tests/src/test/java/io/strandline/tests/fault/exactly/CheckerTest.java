package io.strandline.tests.fault.exactly;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.fault.exactly.Attempt.Outcome;
import io.strandline.tests.fault.exactly.History.Offset;
import io.strandline.tests.fault.exactly.History.Reading;
import io.strandline.tests.fault.exactly.Violation.Kind;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

/** A history that is in order, and what the checker says of it when one thing is made wrong. */
class CheckerTest {
  private static final TopicPartition IN = new TopicPartition("in", 0);
  private static final TopicPartition OUT = new TopicPartition("out", 0);

  private final Map<String, Attempt> attempts = new HashMap<>();
  private final List<Seen> in = new ArrayList<>();
  private final List<Seen> inAll = new ArrayList<>();
  private final List<Seen> out = new ArrayList<>();
  private final List<Seen> outAll = new ArrayList<>();
  private final List<Seen> given = new ArrayList<>();
  private final List<Offset> groups = new ArrayList<>();

  CheckerTest() {
    attempt("a-0", List.of(IN, IN), Outcome.COMMITTED, Set.of());
    attempt("a-1", List.of(IN), Outcome.ABORTED, Set.of());
    attempt("a-2", List.of(IN, IN), Outcome.UNKNOWN, Set.of());
    attempt("x-0", List.of(OUT, OUT, OUT), Outcome.COMMITTED, Set.of("a-0", "b-0"));
    attempt("b-0", List.of(IN), Outcome.COMMITTED, Set.of());
    both(in, inAll, new Seen(0, value("a", 0, 0)));
    both(in, inAll, new Seen(1, value("b", 0, 0)));
    both(in, inAll, new Seen(2, value("a", 0, 1)));
    inAll.add(new Seen(4, value("a", 1, 0)));
    for (int i = 0; i < 3; i++) {
      both(out, outAll, new Seen(i, new Entry("x", 0, i, 1, Entry.at(IN, i)).value()));
    }
    given.addAll(in);
    groups.add(new Offset(IN, 2, true));
    groups.add(new Offset(IN, 2, false));
  }

  private void attempt(String id, List<TopicPartition> placed, Outcome outcome, Set<String> reads) {
    attempts.put(id, new Attempt(id, placed, outcome, reads));
  }

  private static void both(List<Seen> committed, List<Seen> all, Seen seen) {
    committed.add(seen);
    all.add(seen);
  }

  private static String value(String writer, long number, int index) {
    return new Entry(writer, number, index, 0, "").value();
  }

  private History history() {
    return new History(
        attempts,
        Map.of(IN, in, OUT, out),
        Map.of(IN, inAll, OUT, outAll),
        List.of(new Reading(IsolationLevel.READ_COMMITTED, Map.of(IN, given, OUT, out))),
        groups,
        Map.of("in", "out"),
        1);
  }

  private void assertFinds(Kind... kinds) {
    assertThat(Checker.check(history())).extracting(Violation::kind).containsOnly(kinds);
  }

  @Test
  void whatIsInOrderIsNotBlamed() {
    assertThat(Checker.check(history())).isEmpty();
  }

  @Test
  void whatWasAcknowledgedIsThere() {
    out.remove(2);
    assertThat(Checker.check(history()))
        .extracting(Violation::kind)
        .contains(Kind.LOST, Kind.NOT_ONCE);
    attempt("c-0", List.of(IN), Outcome.COMMITTED, Set.of());
    assertThat(Checker.check(history())).asString().contains("c-0 has 0 of 1");
  }

  @Test
  void nothingIsThereTwice() {
    inAll.add(new Seen(5, value("a", 1, 0)));
    assertFinds(Kind.DUPLICATE);
  }

  @Test
  void whatAWriterRepeatsMayBeThereTwiceAndLateButHasToBeThere() {
    String writer = Entry.REPEATS;
    attempt(writer + "-0", List.of(IN), Outcome.COMMITTED, Set.of());
    attempt(writer + "-1", List.of(IN), Outcome.COMMITTED, Set.of());
    inAll.add(new Seen(5, value(writer, 1, 0)));
    inAll.add(new Seen(6, value(writer, 0, 0)));
    inAll.add(new Seen(7, value(writer, 0, 0)));
    assertThat(Checker.check(history())).asString().contains(writer + "-0 has 0 of 1");
    for (int i = 4; i < 7; i++) {
      in.add(inAll.get(i));
      given.add(inAll.get(i));
      both(
          out,
          outAll,
          new Seen(i, new Entry("x", 0, i - 1, 1, Entry.at(IN, inAll.get(i).offset())).value()));
    }
    attempt("x-0", Collections.nCopies(6, OUT), Outcome.COMMITTED, Set.of("a-0", "b-0"));
    assertThat(Checker.check(history())).isEmpty();
  }

  @Test
  void whatIsMadeOfARecordIsMadeOnce() {
    attempt("x-1", List.of(OUT), Outcome.COMMITTED, Set.of("a-0"));
    both(out, outAll, new Seen(3, new Entry("x", 1, 0, 1, Entry.at(IN, 0)).value()));
    assertFinds(Kind.NOT_ONCE);
  }

  @Test
  void aWritersOrderIsKept() {
    attempt("a-3", List.of(IN), Outcome.ABORTED, Set.of());
    inAll.add(3, new Seen(3, value("a", 3, 0)));
    assertFinds(Kind.REORDERED);
  }

  @Test
  void nothingIsThereThatNobodySentThere() {
    inAll.add(new Seen(7, value("nobody", 0, 0)));
    assertFinds(Kind.FOREIGN);
    inAll.remove(inAll.size() - 1);
    attempt("d-0", List.of(OUT), Outcome.ABORTED, Set.of());
    inAll.add(new Seen(7, value("d", 0, 0)));
    assertFinds(Kind.FOREIGN);
  }

  @Test
  void whatWasAbortedIsNotSeen() {
    in.add(inAll.get(3));
    out.add(new Seen(3, new Entry("x", 0, 3, 1, Entry.at(IN, 4)).value()));
    assertThat(Checker.check(history())).extracting(Violation::kind).contains(Kind.ABORTED_READ);
  }

  @Test
  void nothingIsMadeOfWhatWasAborted() {
    attempt("x-1", List.of(OUT), Outcome.COMMITTED, Set.of());
    both(out, outAll, new Seen(3, new Entry("x", 1, 0, 1, Entry.at(IN, 4)).value()));
    assertFinds(Kind.ABORTED_READ);
  }

  @Test
  void aReaderIsNotGivenWhatWasAborted() {
    given.add(inAll.get(3));
    assertFinds(Kind.ABORTED_READ);
  }

  @Test
  void whatNobodyKnowsIsThereWholeOrNotAtAll() {
    inAll.add(new Seen(5, value("a", 2, 0)));
    in.add(new Seen(5, value("a", 2, 0)));
    given.add(in.get(3));
    attempt("x-1", List.of(OUT), Outcome.COMMITTED, Set.of("a-2"));
    both(out, outAll, new Seen(3, new Entry("x", 1, 0, 1, Entry.at(IN, 5)).value()));
    assertFinds(Kind.TORN);
  }

  @Test
  void aReaderIsGivenAllOfATransactionThatItGoesPast() {
    attempt("b-1", List.of(IN), Outcome.COMMITTED, Set.of());
    both(in, inAll, new Seen(6, new Entry("b", 1, 0, 1, "").value()));
    given.remove(2);
    given.add(new Seen(6, new Entry("b", 1, 0, 1, "").value()));
    assertFinds(Kind.INTERMEDIATE_READ);
  }

  @Test
  void aReaderSkipsNothing() {
    given.remove(1);
    assertFinds(Kind.SKIPPED);
  }

  @Test
  void aReaderIsGivenTheFirst() {
    given.remove(0);
    given.remove(1);
    assertFinds(Kind.SKIPPED);
  }

  @Test
  void aReaderIsGivenTheLast() {
    attempt("b-1", List.of(IN), Outcome.COMMITTED, Set.of());
    both(in, inAll, new Seen(6, new Entry("b", 1, 0, 1, "").value()));
    assertFinds(Kind.SKIPPED);
  }

  @Test
  void aReaderThatIsGivenNothingSkipsAll() {
    given.clear();
    assertFinds(Kind.SKIPPED);
  }

  @Test
  void aReaderIsGivenWhatStays() {
    given.set(1, new Seen(1, value("b", 9, 0)));
    assertFinds(Kind.UNSTABLE_READ);
  }

  @Test
  void aReaderIsGivenRecordsInOrder() {
    given.add(in.get(0));
    assertFinds(Kind.REORDERED);
  }

  @Test
  void nothingIsMadeOutOfItself() {
    attempt("a-0", List.of(IN, IN), Outcome.COMMITTED, Set.of("x-0"));
    assertFinds(Kind.CIRCULAR);
  }

  @Test
  void aGroupsOffsetDoesNotGoBack() {
    groups.add(new Offset(IN, 1, false));
    assertFinds(Kind.OFFSET_LOST);
  }

  @Test
  void transactionsThatLieBetweenOneAnotherAreCounted() {
    assertThat(Checker.writeCycles(history())).isZero();
    attempt("a-5", List.of(IN, OUT), Outcome.COMMITTED, Set.of());
    attempt("b-5", List.of(IN, OUT), Outcome.COMMITTED, Set.of());
    in.add(new Seen(10, value("a", 5, 0)));
    in.add(new Seen(11, value("b", 5, 0)));
    out.add(new Seen(10, value("b", 5, 1)));
    out.add(new Seen(11, value("a", 5, 1)));
    assertThat(Checker.writeCycles(history())).isEqualTo(1);
  }
}
