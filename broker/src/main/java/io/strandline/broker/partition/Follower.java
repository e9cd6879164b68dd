package io.strandline.broker.partition;

import io.strandline.broker.log.PartitionLog;
import io.strandline.broker.log.PartitionLog.EpochEnd;
import io.strandline.broker.partition.meter.TopicMeters;
import io.strandline.broker.partition.meter.TopicMeters.Kind;
import io.strandline.broker.partition.owner.Mailbox;
import io.strandline.broker.replica.FetchAnswer;
import io.strandline.broker.replica.FetchPosition;
import io.strandline.broker.replica.FollowedReplica;
import io.strandline.broker.replica.Replicas;
import io.strandline.broker.replica.TierMark;
import io.strandline.broker.replica.quota.ReplicationQuota;
import io.strandline.tiering.segment.SegmentEntry;
import java.util.Optional;
import java.util.OptionalInt;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.server.storage.log.UnexpectedAppendOffsetException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A partition's replica as the fetcher sees it that copies the leader's log into it. */
record Follower(Partition partition, Mailbox mailbox, Replicas replicas)
    implements FollowedReplica {
  private static final Logger LOG = LoggerFactory.getLogger(Follower.class);

  @Override
  public TopicIdPartition id() {
    return partition.id();
  }

  private PartitionLog log() {
    return partition.log();
  }

  @Override
  public Optional<FetchPosition> position(int leaderEpoch) {
    return follows(leaderEpoch)
        ? Optional.of(
            new FetchPosition(
                leaderEpoch, log().logEndOffset(), log().logStartOffset(), newestEpoch()))
        : Optional.empty();
  }

  private OptionalInt newestEpoch() {
    OptionalInt epoch = log().latestEpoch();
    return epoch.isPresent() && epoch.getAsInt() == RecordBatch.NO_PARTITION_LEADER_EPOCH
        ? OptionalInt.empty()
        : epoch;
  }

  private boolean follows(int leaderEpoch) {
    return partition.role() instanceof Role.Following following
        && following.leaderEpoch() == leaderEpoch;
  }

  @Override
  public boolean throttled() {
    ReplicationQuota quota = replicas.quotas().follower();
    return quota.covers(partition.config(), id().partition())
        && !(partition.role() instanceof Role.Following following && following.inSync())
        && quota.exceeded();
  }

  private void count(int bytes) {
    TopicMeters meters = partition.meters();
    meters.mark(Kind.REPLICATION_IN, bytes);
    if (partition.role() instanceof Role.Following following
        && following.state().adding().contains(following.node())) {
      meters.mark(Kind.REASSIGNMENT_IN, bytes);
    }
    ReplicationQuota quota = replicas.quotas().follower();
    if (quota.covers(partition.config(), id().partition())) {
      quota.charge(bytes);
    }
  }

  /** A step of the owner's, if nothing has changed since this position was asked for. */
  private void ifStill(FetchPosition asked, Runnable step) {
    mailbox.call(
        () -> {
          if (follows(asked.leaderEpoch()) && log().logEndOffset() == asked.offset()) {
            step.run();
          }
          return asked;
        });
  }

  @Override
  public void take(FetchPosition asked, FetchAnswer answer) {
    answer.tier().ifPresent(partition::tiered);
    if (answer.records().sizeInBytes() > 0) {
      count(answer.records().sizeInBytes());
    }
    if (partition.role().readOnly()) {
      ifStill(asked, () -> stand(answer.logStartOffset(), answer.highWatermark()));
      return;
    }
    if (answer.tier().filter(mark -> straggles(asked, mark)).isPresent()) {
      replicas.stragglers().add(id(), asked);
      return;
    }
    ifStill(
        asked,
        () -> {
          if (answer.records().sizeInBytes() > 0) {
            append(asked, answer);
          }
          long watermark = Math.max(partition.highWatermark(), answer.highWatermark());
          partition.learnHighWatermark(watermark);
          long start = Math.min(answer.logStartOffset(), partition.highWatermark());
          if (start > log().logStartOffset()) {
            log().advanceLogStart(start);
          }
        });
  }

  /**
   * A mount's log is empty everywhere: what the leader shows is in the other cluster's store, from
   * which a reader here is shown it too.
   */
  private void stand(long start, long end) {
    if (end != log().logEndOffset()) {
      log().truncateFullyAndStartAt(end, Math.min(start, end));
      log().assignEpoch(SegmentEntry.FOREIGN_EPOCH, Math.min(start, end));
    } else if (start > log().logStartOffset()) {
      log().advanceLogStart(start);
    }
    partition.learnHighWatermark(end);
  }

  /**
   * What it misses is in the tier, and so much of it that even the leader has it there alone.
   * Internal topics are whole on every replica, whatever is said of them.
   */
  private boolean straggles(FetchPosition asked, TierMark mark) {
    return asked.offset() < mark.localStartOffset()
        && asked.offset() < mark.endOffset()
        && !Topic.isInternal(id().topic());
  }

  private void append(FetchPosition asked, FetchAnswer answer) {
    try {
      var unused = log().appendAsFollower(answer.records(), asked.leaderEpoch());
    } catch (UnexpectedAppendOffsetException within) {
      // The leader's log begins in the middle of a batch, and so does ours, empty as it is: the
      // batch comes whole (KAFKA-6361).
      boolean empty = log().logEndOffset() == log().logStartOffset();
      if (!empty
          || within.firstOffset >= log().logEndOffset()
          || within.lastOffset < log().logEndOffset()) {
        throw within;
      }
      log().truncateFullyAndStartAt(within.firstOffset, within.firstOffset);
      var unused = log().appendAsFollower(answer.records(), asked.leaderEpoch());
    }
  }

  @Override
  public void diverged(FetchPosition asked, EpochEnd leader) {
    ifStill(
        asked,
        () -> {
          if (partition.role().readOnly()) {
            stand(log().logStartOffset(), leader.endOffset());
            return;
          }
          Optional<EpochEnd> mine = log().endOffsetForEpoch(leader.leaderEpoch());
          // Of an epoch that the leader knows and this log does not, what lies above the next
          // lower one goes; the leader is asked again from there (KIP-279).
          long end =
              mine.map(
                      known ->
                          known.leaderEpoch() == leader.leaderEpoch()
                              ? Math.min(known.endOffset(), leader.endOffset())
                              : known.endOffset())
                  .orElse(leader.endOffset());
          truncate(Math.min(end, log().logEndOffset()), "the leader's history parts from it");
        });
  }

  @Override
  public void outOfRange(FetchPosition asked, long leaderStartOffset, long leaderEndOffset) {
    ifStill(
        asked,
        () -> {
          if (partition.role().readOnly()) {
            stand(leaderStartOffset, leaderEndOffset);
          } else if (leaderEndOffset < asked.offset()) {
            truncate(leaderEndOffset, "the leader ends there");
          } else if (leaderStartOffset > asked.offset()) {
            LOG.atWarn()
                .addKeyValue("partition", id())
                .addKeyValue("offset", leaderStartOffset)
                .log("begins anew: the leader begins above the end of this replica");
            log().truncateFullyAndStartAt(leaderStartOffset, leaderStartOffset);
            partition.learnHighWatermark(leaderStartOffset);
          }
        });
  }

  private void truncate(long offset, String why) {
    if (offset < partition.highWatermark()) {
      LOG.atWarn()
          .addKeyValue("partition", id())
          .addKeyValue("offset", offset)
          .addKeyValue("value", partition.highWatermark())
          .log("cut below its high watermark: {}", why);
    } else {
      LOG.atInfo().addKeyValue("partition", id()).addKeyValue("offset", offset).log("cut: {}", why);
    }
    log().truncateTo(offset);
    partition.learnHighWatermark(partition.highWatermark());
  }
}
