package io.strandline.replay.job;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One record as it was produced.
 *
 * @param timestampMs since the epoch; -1 if it has none
 * @param key may be absent
 * @param value absent in a tombstone
 * @param headers in the order they were produced; a key may come more than once
 */
@SuppressWarnings("ArrayRecordComponent") // bytes are handed over, never compared
public record HistoryRecord(
    int partition,
    long offset,
    long timestampMs,
    byte @Nullable [] key,
    byte @Nullable [] value,
    List<Header> headers) {
  /**
   * @param value may be absent
   */
  @SuppressWarnings("ArrayRecordComponent")
  public record Header(String key, byte @Nullable [] value) {}
}
