package io.strandline.replay.fetch;

import io.strandline.tiering.segment.SegmentEntry;

/**
 * What a read needs.
 *
 * @param first chunk of the entry's
 * @param count of chunks without which it gives nothing
 * @param wanted of chunks, if they are there
 * @param positionBytes within the first
 */
record Span(SegmentEntry entry, int first, int count, int wanted, long positionBytes) {}
