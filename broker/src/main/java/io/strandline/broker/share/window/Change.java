package io.strandline.broker.share.window;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.apache.kafka.server.share.fetch.RecordState;

/**
 * What is to be written down of records whose state changes. Each change is one of its own, however
 * alike another is.
 */
public final class Change {
  /**
   * Offsets that come to the same state.
   *
   * @param last included
   * @param to available, acknowledged or archived
   * @param count of deliveries
   */
  public record Part(long first, long last, RecordState to, int count) {}

  private final List<Part> parts = new ArrayList<>();

  Change() {}

  /** In ascending order of offsets within each acknowledgement. */
  public List<Part> parts() {
    return Collections.unmodifiableList(parts);
  }

  public boolean isEmpty() {
    return parts.isEmpty();
  }

  void add(long first, long last, RecordState to, int count) {
    int end = parts.size() - 1;
    Part before = end < 0 ? null : parts.get(end);
    if (before != null
        && before.last() + 1 == first
        && before.to() == to
        && before.count() == count) {
      parts.set(end, new Part(before.first(), last, to, count));
    } else {
      parts.add(new Part(first, last, to, count));
    }
  }
}
