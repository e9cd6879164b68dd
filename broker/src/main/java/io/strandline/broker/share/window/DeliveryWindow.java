package io.strandline.broker.share.window;

import io.strandline.broker.share.window.Delivery.Pending;
import io.strandline.broker.share.window.Runs.Run;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalLong;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.common.errors.InvalidRecordStateException;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.message.ShareFetchResponseData.AcquiredRecords;
import org.apache.kafka.server.share.fetch.RecordState;
import org.apache.kafka.server.share.persister.PersisterStateBatch;
import org.jspecify.annotations.Nullable;

/**
 * The records of a partition that are in flight in a share group: from the first that has not come
 * to its end to the last that anybody was given.
 *
 * <p>Invariants:
 *
 * <ul>
 *   <li>each offset of [{@link #start()}, {@link #next()}) is in exactly one run; none outside is
 *   <li>the record at {@code start} is not done
 *   <li>a record is held by at most one member, and given at most as often as the limit says
 *   <li>a change that is being written down touches only records that were held, and nothing else
 *       touches them until it is settled
 * </ul>
 *
 * <p>Of a record nobody holds any more only two things count: whether it may be given again, and
 * how often it was. So what was accepted and what was rejected are the same here, once written
 * down.
 *
 * <p>Not safe for threads: its partition's lock guards it.
 */
public final class DeliveryWindow {
  private final Runs runs = new Runs();
  private long start;
  private long next;

  /**
   * @param written as it was read back; offsets between are taken for never given
   */
  public DeliveryWindow(long start, List<PersisterStateBatch> written) {
    this.start = start;
    this.next = start;
    written.stream()
        .filter(batch -> batch.lastOffset() >= start)
        .sorted(Comparator.comparingLong(PersisterStateBatch::firstOffset))
        .forEach(this::recall);
    advance();
  }

  private void recall(PersisterStateBatch batch) {
    long first = Math.max(start, batch.firstOffset());
    if (first > next) {
      runs.set(next, first - 1, Delivery.FRESH);
    }
    boolean terminal =
        batch.deliveryState() == RecordState.ACKNOWLEDGED.id()
            || batch.deliveryState() == RecordState.ARCHIVED.id();
    runs.set(
        first,
        batch.lastOffset(),
        terminal ? Delivery.DONE : Delivery.available(batch.deliveryCount()));
    next = Math.max(next, batch.lastOffset() + 1);
  }

  /** The first offset whose record has not come to its end. */
  public long start() {
    return start;
  }

  /** The first offset that nobody was given yet. */
  public long next() {
    return next;
  }

  /** Where to read what can be given now; empty when as much is in flight as may be. */
  public OptionalLong readFrom(int inFlightMax) {
    for (Run run : runs.all()) {
      if (run.delivery().isAvailable()) {
        return OptionalLong.of(run.first());
      }
    }
    return inFlight() >= inFlightMax ? OptionalLong.empty() : OptionalLong.of(next);
  }

  /** Records that have not come to their end. */
  public long inFlight() {
    return next - start - done();
  }

  /** Records beyond {@code start} that have come to their end. */
  public long done() {
    return sum(null);
  }

  /** The same once these changes are written down. */
  public long doneAfter(List<Change> changes) {
    return sum(changes);
  }

  private long sum(@Nullable List<Change> changes) {
    long sum = 0;
    for (Run run : runs.all()) {
      Pending pending = run.delivery().pending();
      boolean will =
          changes != null
              && pending != null
              && pending.to() != RecordState.AVAILABLE
              && changes.contains(pending.change());
      sum += run.delivery().isDone() || will ? run.size() : 0;
    }
    return sum;
  }

  /** When the first lock runs out. */
  public OptionalLong earliestLockMs() {
    return runs.all().stream()
        .filter(run -> run.delivery().isHeld())
        .mapToLong(run -> run.delivery().lockedUntilMs())
        .min();
  }

  // ---- giving

  /**
   * Gives records to a member.
   *
   * @param from where was read
   * @param read the batches found there in ascending order, and none between them left out
   * @return what it was given, ascending
   */
  public List<AcquiredRecords> acquire(Claim claim, long from, List<Span> read) {
    Handout handout = new Handout(claim);
    long at = Math.max(from, start);
    for (Span span : read) {
      if (span.last() < at) {
        continue;
      }
      long first = Math.max(at, span.first());
      skip(at, first - 1);
      if (span.deliverable()) {
        offer(handout, first, span.last());
      } else {
        skip(first, span.last());
      }
      if (handout.isOver()) {
        break;
      }
      at = span.last() + 1;
    }
    advance();
    return handout.given();
  }

  /** No record is there that a member could be given. */
  private void skip(long first, long last) {
    if (last < first) {
      return;
    }
    for (Run run : runs.between(first, last)) {
      if (run.delivery().isAvailable()) {
        runs.set(run.first(), run.last(), Delivery.DONE);
      }
    }
    if (last >= next) {
      runs.set(next, last, Delivery.DONE);
      next = last + 1;
    }
  }

  private void offer(Handout handout, long first, long last) {
    if (last >= next) {
      if (inFlight() >= handout.claim().inFlightMax()) {
        offerKnown(handout, first, next - 1);
        handout.end();
        return;
      }
      runs.set(next, last, Delivery.FRESH);
      next = last + 1;
    }
    offerKnown(handout, first, last);
    handout.batchEnds();
  }

  private void offerKnown(Handout handout, long first, long last) {
    for (Run run : runs.between(first, last)) {
      if (handout.isOver()) {
        return;
      }
      if (run.delivery().isAvailable()) {
        long size = handout.take(run);
        if (size > 0) {
          Claim claim = handout.claim();
          runs.set(
              run.first(),
              run.first() + size - 1,
              run.delivery().acquired(claim.member(), claim.lockedUntilMs()));
        }
      }
    }
  }

  // ---- taking back

  /**
   * Takes note of what a member says; all or nothing.
   *
   * @return to be written down and then {@link #settle}d; empty when there is nothing to be
   * @throws InvalidRecordStateException a record is not held by this member
   * @throws InvalidRequestException a record was given to nobody
   */
  public Change acknowledge(String member, List<Acknowledgement> said, AckTerms terms) {
    for (Acknowledgement one : said) {
      check(member, one, terms);
    }
    Change change = new Change();
    for (Acknowledgement one : said) {
      long from = Math.max(one.first(), start);
      while (from <= one.last()) {
        byte type = one.type(from);
        long to = one.types().size() == 1 ? one.last() : from;
        apply(change, from, to, type, terms);
        from = to + 1;
      }
    }
    return change;
  }

  private void check(String member, Acknowledgement said, AckTerms terms) {
    if (said.last() < start) {
      return; // came to its end meanwhile
    }
    if (said.last() >= next) {
      throw new InvalidRequestException("nobody was given " + said.last());
    }
    for (Run run : runs.between(Math.max(said.first(), start), said.last())) {
      if (!run.delivery().isHeld() || !run.delivery().member().equals(member)) {
        throw new InvalidRecordStateException(
            "The records " + run.first() + " to " + run.last() + " are not held by the member.");
      }
    }
    if (said.types().contains(AcknowledgeType.RENEW.id) && !terms.renews()) {
      throw new InvalidRecordStateException(
          "Renewing acquisition locks is not enabled for the group.");
    }
  }

  private void apply(Change change, long first, long last, byte type, AckTerms terms) {
    for (Run run : runs.between(first, last)) {
      Delivery held = run.delivery();
      if (type == AcknowledgeType.RENEW.id) {
        runs.set(run.first(), run.last(), held.lockedUntil(terms.renewedUntilMs()));
      } else {
        begin(change, run, outcome(type, held, terms.deliveryLimit()));
      }
    }
  }

  private static RecordState outcome(byte type, Delivery held, int deliveryLimit) {
    if (type == AcknowledgeType.ACCEPT.id) {
      return RecordState.ACKNOWLEDGED;
    }
    return type == AcknowledgeType.RELEASE.id
        ? held.givenBack(deliveryLimit)
        : RecordState.ARCHIVED;
  }

  private void begin(Change change, Run run, RecordState to) {
    runs.set(run.first(), run.last(), run.delivery().becoming(change, to));
    change.add(run.first(), run.last(), to, run.delivery().count());
  }

  /** Takes back all that a member holds; to be settled as an acknowledgement is. */
  public Change release(String member, int deliveryLimit) {
    Change change = new Change();
    for (Run run : runs.between(start, next - 1)) {
      if (run.delivery().isHeld() && run.delivery().member().equals(member)) {
        begin(change, run, run.delivery().givenBack(deliveryLimit));
      }
    }
    return change;
  }

  /**
   * Takes back what members have held for too long, whether or not it can be written down: what is
   * returned is to be written, and needs no settling.
   */
  public Change expire(long nowMs, int deliveryLimit) {
    Change change = new Change();
    for (Run run : runs.between(start, next - 1)) {
      if (run.delivery().isHeld() && run.delivery().lockedUntilMs() <= nowMs) {
        RecordState to = run.delivery().givenBack(deliveryLimit);
        change.add(run.first(), run.last(), to, run.delivery().count());
        runs.set(run.first(), run.last(), run.delivery().settled(to));
      }
    }
    advance();
    return change;
  }

  /**
   * A change has been written down, or could not be: then all is as it was, and a lock that ran out
   * meanwhile runs out now.
   */
  public void settle(Change change, boolean written) {
    for (Change.Part part : change.parts()) {
      for (Run run : runs.between(part.first(), part.last())) {
        Pending pending = run.delivery().pending();
        if (pending != null && pending.change() == change) {
          Delivery now =
              written ? run.delivery().settled(pending.to()) : run.delivery().unchanged();
          runs.set(run.first(), run.last(), now);
        }
      }
    }
    advance();
  }

  /** The log begins here now: what lay before is gone, whoever holds it. */
  public void cutBefore(long logStart) {
    if (logStart > start) {
      runs.removeBefore(logStart);
      start = logStart;
      next = Math.max(next, logStart);
      advance();
    }
  }

  private void advance() {
    for (Run run : runs.between(start, next - 1)) {
      if (!run.delivery().isDone()) {
        break;
      }
      start = run.last() + 1;
    }
    runs.removeBefore(start);
  }
}
