package io.strandline.broker.partition;

import io.micrometer.core.instrument.MeterRegistry;
import io.strandline.broker.partition.meter.ReplicaMeters;
import io.strandline.broker.partition.space.DiskSpace;
import io.strandline.broker.replica.Replicas;
import io.strandline.replay.Replay;
import java.time.InstantSource;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;

/**
 * What partitions need of the process: they make no thread and no clock of their own.
 *
 * @param clock for timestamps of appends and for retention
 * @param writes blocking work on logs: appends that are not inline, rolls, truncation, retention
 * @param reads look-ups that may wait for the disk
 * @param cleaner one thread for compaction
 * @param moves copies logs to other directories
 * @param scheduler wakes housekeeping; its tasks are short
 * @param replay what the hot log no longer holds
 * @param meters {@code strandline.partition.*}
 * @param space of the disks
 * @param replicas replication to and from other brokers
 * @param kafka what is told of replicas under Kafka's names
 */
public record PartitionRuntime(
    InstantSource clock,
    Executor writes,
    Executor reads,
    Executor cleaner,
    Executor moves,
    ScheduledExecutorService scheduler,
    Replay replay,
    DiskSpace space,
    MeterRegistry meters,
    Replicas replicas,
    ReplicaMeters kafka,
    PartitionSettings settings) {}
