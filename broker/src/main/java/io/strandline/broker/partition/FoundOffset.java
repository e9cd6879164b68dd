package io.strandline.broker.partition;

import java.util.OptionalInt;

/**
 * Answer to a look-up of an offset.
 *
 * @param offset -1 when there is none
 * @param timestampMs of the record, -1 when the look-up was not by time
 * @param leaderEpoch of the record, when known
 */
public record FoundOffset(long offset, long timestampMs, OptionalInt leaderEpoch) {
  public static final FoundOffset NONE = new FoundOffset(-1, -1, OptionalInt.empty());
}
