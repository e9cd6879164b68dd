package io.strandline.tiering.manifest.retired;

import io.strandline.tiering.segment.SegmentEntry;
import java.time.Instant;

/**
 * A segment that readers begun after {@code since} no longer look for; its object goes after the
 * grace period.
 */
public record RetiredSegment(SegmentEntry entry, Instant since) {}
