/**
 * Replay jobs: history out of the bucket, with no broker involved. The public way in is {@link
 * io.strandline.replay.job.History}:
 *
 * <pre>{@code
 * try (History history = History.open(HistoryConfig.of("s3://bucket/prefix?region=eu-central-1"))) {
 *   ReplayJob job = history.job(JobSpec.of("orders").from(Position.time(since)).parallelism(4));
 *   job.run((partition, records) -> records.forEach(this::index));
 * }
 * }</pre>
 */
@NullMarked
package io.strandline.replay.job;

import org.jspecify.annotations.NullMarked;
