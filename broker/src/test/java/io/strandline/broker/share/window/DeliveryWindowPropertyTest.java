package io.strandline.broker.share.window;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import java.util.TreeMap;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.message.ShareFetchResponseData.AcquiredRecords;
import org.apache.kafka.server.share.fetch.RecordState;
import org.apache.kafka.server.share.persister.PersisterStateBatch;

/**
 * Members fetch, acknowledge, leave and are too slow, writes fail, the log is cut and the broker
 * starts again, in any order: the window fares as the plain model does, and what was written down
 * as done is never given again.
 */
class DeliveryWindowPropertyTest {
  private static final List<String> MEMBERS = List.of("a", "b", "c");

  @Property(tries = 400, shrinking = ShrinkingMode.OFF)
  void theWindowFaresAsThePlainModel(@ForAll long seed) {
    Run run = new Run(new Random(seed));
    for (int i = 0; i < 150; i++) {
      run.step();
      run.compare();
    }
  }

  /** One history. */
  private static final class Run {
    private final Random random;
    private final int limit;
    private final int inFlightMax;
    private final List<Span> log = new ArrayList<>();
    private final TreeMap<Long, PersisterStateBatch> written = new TreeMap<>();
    private long writtenStart = -1;
    private final List<Change> underWay = new ArrayList<>();
    private long nowMs = 1_000;
    private DeliveryWindow window;
    private OffsetModel model;

    Run(Random random) {
      this.random = random;
      this.limit = 2 + random.nextInt(5);
      this.inFlightMax = 5 + random.nextInt(40);
      long start = random.nextInt(5);
      this.window = new DeliveryWindow(start, List.of());
      this.model = new OffsetModel(start);
      long at = 0;
      while (at < 300) {
        at += random.nextInt(10) == 0 ? 1 + random.nextInt(4) : 0;
        long last = at + random.nextInt(12);
        log.add(new Span(at, last, random.nextInt(6) > 0));
        at = last + 1;
      }
    }

    void step() {
      switch (random.nextInt(11)) {
        case 0, 1, 2 -> fetch();
        case 3, 4, 5 -> acknowledge();
        case 6 -> release();
        case 7 -> expire();
        case 8, 9 -> settle();
        default -> rarely();
      }
    }

    private String member() {
      return MEMBERS.get(random.nextInt(MEMBERS.size()));
    }

    private void fetch() {
      OptionalLong from = window.readFrom(inFlightMax);
      boolean may = model.readFrom() < model.next || model.inFlight() < inFlightMax;
      assertThat(from.isPresent()).isEqualTo(may);
      if (from.isEmpty()) {
        return;
      }
      assertThat(from.getAsLong()).isEqualTo(model.readFrom());
      List<Span> read =
          log.stream()
              .filter(span -> span.last() >= from.getAsLong())
              .limit(1 + random.nextInt(5))
              .toList();
      Claim claim =
          new Claim(
              member(),
              1 + random.nextInt(15),
              1 + random.nextInt(6),
              random.nextBoolean(),
              nowMs + 1 + random.nextInt(20),
              limit,
              inFlightMax);
      Map<Long, Integer> given = new TreeMap<>();
      for (AcquiredRecords one : window.acquire(claim, from.getAsLong(), read)) {
        for (long offset = one.firstOffset(); offset <= one.lastOffset(); offset++) {
          assertThat(given.put(offset, (int) one.deliveryCount())).isNull();
        }
      }
      assertThat(given).isEqualTo(model.acquire(claim, from.getAsLong(), read));
      assertThat(given.values()).allMatch(count -> count <= limit);
      assertThat(given.keySet()).noneMatch(this::writtenAsDone);
    }

    private boolean writtenAsDone(long offset) {
      PersisterStateBatch batch = written.get(offset);
      return batch != null && batch.deliveryState() != RecordState.AVAILABLE.id();
    }

    private void acknowledge() {
      long first = model.start - 2 + random.nextInt((int) (model.next - model.start) + 4);
      long last = first + random.nextInt(6);
      if (first < 0) {
        return;
      }
      List<Byte> types = new ArrayList<>();
      int kinds = random.nextBoolean() ? 1 : (int) (last - first + 1);
      for (int i = 0; i < kinds; i++) {
        types.add((byte) random.nextInt(5));
      }
      OffsetModel.Cell held = model.cells.get(Math.max(first, model.start));
      String member = held == null || held.member.isEmpty() ? member() : held.member;
      Acknowledgement said = new Acknowledgement(first, last, types);
      AckTerms terms = new AckTerms(limit, true, nowMs + 30);
      if (!model.mayAcknowledge(member, said)) {
        assertThatThrownBy(() -> window.acknowledge(member, List.of(said), terms))
            .isInstanceOf(ApiException.class);
        return;
      }
      take(window.acknowledge(member, List.of(said), terms), () -> model.acknowledge(said, terms));
    }

    private void release() {
      String member = member();
      take(window.release(member, limit), () -> model.release(member, limit));
    }

    private void take(Change change, Runnable modelled) {
      modelled.run();
      for (Change.Part part : change.parts()) {
        for (long offset = part.first(); offset <= part.last(); offset++) {
          OffsetModel.Cell cell = model.cells.get(offset);
          assertThat(part.to()).isEqualTo(cell.pending.orElseThrow());
          assertThat(part.count()).isEqualTo(cell.count);
        }
      }
      if (!change.isEmpty()) {
        underWay.add(change);
      }
    }

    private void expire() {
      nowMs += random.nextInt(15);
      Change change = window.expire(nowMs, limit);
      model.expire(nowMs, limit);
      if (random.nextInt(4) > 0) {
        write(change);
      }
    }

    private void settle() {
      if (underWay.isEmpty()) {
        return;
      }
      Change change = underWay.remove(0);
      boolean ok = random.nextInt(5) > 0;
      if (ok) {
        write(change);
      }
      window.settle(change, ok);
      model.settle(change, ok);
    }

    private void write(Change change) {
      if (change.isEmpty()) {
        return;
      }
      writtenStart = Math.max(writtenStart, window.start());
      for (Change.Part part : change.parts()) {
        for (long offset = part.first(); offset <= part.last(); offset++) {
          written.put(
              offset,
              new PersisterStateBatch(offset, offset, part.to().id(), (short) part.count()));
        }
      }
    }

    private void rarely() {
      if (random.nextInt(4) > 0) {
        return;
      }
      if (random.nextBoolean()) {
        long logStart = model.start + random.nextInt(8);
        window.cutBefore(logStart);
        model.cutBefore(logStart);
        return;
      }
      if (writtenStart < 0) {
        return;
      }
      underWay.clear(); // the broker starts again
      written.headMap(writtenStart, false).clear();
      window = new DeliveryWindow(writtenStart, List.copyOf(written.values()));
      model = new OffsetModel(writtenStart);
      if (!written.isEmpty()) {
        for (long offset = writtenStart; offset <= written.lastKey(); offset++) {
          OffsetModel.Cell cell = new OffsetModel.Cell();
          PersisterStateBatch batch = written.get(offset);
          if (batch != null) {
            cell.count = batch.deliveryCount();
            cell.settle(RecordState.forId(batch.deliveryState()));
          }
          model.cells.put(offset, cell);
        }
        model.next = written.lastKey() + 1;
      }
      model.expire(0, limit); // moves its start on
    }

    void compare() {
      assertThat(window.start()).isEqualTo(model.start);
      assertThat(window.next()).isEqualTo(model.next);
      assertThat(window.inFlight()).isEqualTo(model.inFlight());
      assertThat(window.earliestLockMs())
          .isEqualTo(
              model.cells.values().stream()
                  .filter(OffsetModel.Cell::held)
                  .mapToLong(cell -> cell.lockedUntilMs)
                  .min());
    }
  }
}
