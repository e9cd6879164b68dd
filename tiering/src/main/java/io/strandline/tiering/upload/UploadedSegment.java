package io.strandline.tiering.upload;

import io.strandline.tiering.segment.SegmentEntry;

/** A segment whose object is durable in the store and that no manifest names yet. */
public record UploadedSegment(SegmentEntry entry) {}
