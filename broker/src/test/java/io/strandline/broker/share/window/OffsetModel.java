package io.strandline.broker.share.window;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.server.share.fetch.RecordState;

/** The same as a {@link DeliveryWindow}, one entry for each offset and as plain as can be. */
final class OffsetModel {
  static final class Cell {
    boolean available = true;
    boolean done;
    int count;
    String member = "";
    long lockedUntilMs;
    Optional<RecordState> pending = Optional.empty();

    boolean held() {
      return !available && !done && pending.isEmpty();
    }

    void settle(RecordState to) {
      available = to == RecordState.AVAILABLE;
      done = !available;
      member = "";
      pending = Optional.empty();
    }

    RecordState givenBack(int limit) {
      return count >= limit ? RecordState.ARCHIVED : RecordState.AVAILABLE;
    }

    boolean like(Cell other) {
      return available && other.available && count == other.count;
    }
  }

  final TreeMap<Long, Cell> cells = new TreeMap<>();
  long start;
  long next;

  OffsetModel(long start) {
    this.start = start;
    this.next = start;
  }

  long inFlight() {
    return cells.values().stream().filter(cell -> !cell.done).count();
  }

  long readFrom() {
    return cells.entrySet().stream()
        .filter(cell -> cell.getValue().available)
        .map(Map.Entry::getKey)
        .findFirst()
        .orElse(next);
  }

  /** What a claim should get: offset to delivery. */
  Map<Long, Integer> acquire(Claim claim, long from, List<Span> spans) {
    Map<Long, Integer> given = new TreeMap<>();
    long at = Math.max(from, start);
    for (Span span : spans) {
      if (span.last() < at) {
        continue;
      }
      long first = Math.max(at, span.first());
      nothing(at, first - 1);
      boolean over = false;
      if (span.deliverable()) {
        over = offer(claim, first, span.last(), given);
      } else {
        nothing(first, span.last());
      }
      if (over) {
        break;
      }
      at = span.last() + 1;
    }
    advance();
    return given;
  }

  private void nothing(long first, long last) {
    for (long offset = first; offset <= last; offset++) {
      Cell cell = cells.computeIfAbsent(offset, o -> new Cell());
      if (cell.available) {
        cell.settle(RecordState.ARCHIVED);
      }
    }
    next = Math.max(next, last + 1);
  }

  private boolean offer(Claim claim, long first, long last, Map<Long, Integer> given) {
    boolean full = last >= next && inFlight() >= claim.inFlightMax();
    if (!full) {
      for (long offset = next; offset <= last; offset++) {
        cells.put(offset, new Cell());
      }
      next = Math.max(next, last + 1);
    }
    long end = Math.min(last, next - 1);
    int doubtful = Math.max(2, (claim.deliveryLimit() + 1) / 2);
    for (long offset = first; offset <= end; offset++) {
      Cell cell = cells.get(offset);
      if (!cell.available) {
        continue;
      }
      if (cell.count < doubtful) {
        give(claim, offset, cell, given);
        if (claim.strict() && given.size() >= claim.recordsMax()) {
          return true;
        }
        continue;
      }
      if (given.isEmpty()) {
        long alike = 1;
        while (offset + alike <= end && cells.get(offset + alike).like(cell)) {
          alike++;
        }
        long few =
            cell.count >= claim.deliveryLimit() - 1
                ? 1
                : Math.max(1, alike >> (cell.count - doubtful + 1));
        few = claim.strict() ? Math.min(few, claim.recordsMax()) : few;
        for (long i = 0; i < few; i++) {
          give(claim, offset + i, cells.get(offset + i), given);
        }
      }
      return true;
    }
    return full || given.size() >= claim.recordsMax();
  }

  private static void give(Claim claim, long offset, Cell cell, Map<Long, Integer> given) {
    cell.available = false;
    cell.count++;
    cell.member = claim.member();
    cell.lockedUntilMs = claim.lockedUntilMs();
    given.put(offset, cell.count);
  }

  boolean mayAcknowledge(String member, Acknowledgement said) {
    for (long offset = Math.max(said.first(), start); offset <= said.last(); offset++) {
      Cell cell = cells.get(offset);
      if (cell == null || !cell.held() || !cell.member.equals(member)) {
        return false;
      }
    }
    return true;
  }

  void acknowledge(Acknowledgement said, AckTerms terms) {
    for (long offset = Math.max(said.first(), start); offset <= said.last(); offset++) {
      Cell cell = cells.get(offset);
      byte type = said.types().get(said.types().size() == 1 ? 0 : (int) (offset - said.first()));
      if (type == AcknowledgeType.RENEW.id) {
        cell.lockedUntilMs = terms.renewedUntilMs();
      } else if (type == AcknowledgeType.RELEASE.id) {
        cell.pending = Optional.of(cell.givenBack(terms.deliveryLimit()));
      } else {
        cell.pending =
            Optional.of(
                type == AcknowledgeType.ACCEPT.id
                    ? RecordState.ACKNOWLEDGED
                    : RecordState.ARCHIVED);
      }
    }
  }

  void release(String member, int limit) {
    for (Cell cell : cells.values()) {
      if (cell.held() && cell.member.equals(member)) {
        cell.pending = Optional.of(cell.givenBack(limit));
      }
    }
  }

  void expire(long nowMs, int limit) {
    for (Cell cell : cells.values()) {
      if (cell.held() && cell.lockedUntilMs <= nowMs) {
        cell.settle(cell.givenBack(limit));
      }
    }
    advance();
  }

  void settle(Change change, boolean written) {
    for (Change.Part part : change.parts()) {
      for (Cell cell : cells.subMap(part.first(), true, part.last(), true).values()) {
        if (written) {
          cell.settle(part.to());
        } else {
          cell.pending = Optional.empty();
        }
      }
    }
    advance();
  }

  void cutBefore(long logStart) {
    if (logStart > start) {
      start = logStart;
      next = Math.max(next, logStart);
      advance();
    }
  }

  private void advance() {
    cells.headMap(start, false).clear();
    while (!cells.isEmpty() && cells.firstKey() == start && cells.firstEntry().getValue().done) {
      cells.remove(start++);
    }
  }
}
