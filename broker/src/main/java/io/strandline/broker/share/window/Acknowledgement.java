package io.strandline.broker.share.window;

import java.util.List;

/**
 * What a member says of records.
 *
 * @param last included
 * @param types ids of {@code AcknowledgeType}, 0 for an offset at which there was no record: one
 *     for all offsets, or one for each
 */
public record Acknowledgement(long first, long last, List<Byte> types) {
  byte type(long offset) {
    return types.size() == 1 ? types.get(0) : types.get((int) (offset - first));
  }
}
