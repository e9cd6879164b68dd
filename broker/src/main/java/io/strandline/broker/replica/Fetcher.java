package io.strandline.broker.replica;

import io.strandline.broker.log.PartitionLog.EpochEnd;
import io.strandline.broker.replica.meter.Pace;
import java.io.IOException;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.errors.CorruptRecordException;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Copies from one leader into the replicas that follow it, round after round: ask for what is due,
 * wait, append. An error of one partition delays that one; an error of the connection, all.
 *
 * <p>One thread's, which {@link #run} takes until the end; or whoever has no thread to wait on does
 * the rounds by halves: {@link #wanted}, and {@link #answered} or {@link #failed}.
 */
public final class Fetcher implements Runnable, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Fetcher.class);

  /** Until a leader is asked again that refused once. */
  private static final long SOON_MS = 20;

  private final int broker;
  private final Leader leader;
  private final FetchList list = new FetchList();
  private final ReplicaSettings settings;
  private final InstantSource clock;
  private final Pace pace;
  private boolean away; // the leader did not answer last time

  /**
   * @param broker the leader's id
   */
  Fetcher(int broker, Leader leader, ReplicaSettings settings, InstantSource clock) {
    this.broker = broker;
    this.leader = leader;
    this.settings = settings;
    this.clock = clock;
    this.pace = new Pace(clock);
  }

  FetchList list() {
    return list;
  }

  /** The id of the leader. */
  public int broker() {
    return broker;
  }

  /** Whether it has ended. */
  public boolean closed() {
    return list.closed();
  }

  @Override
  public void run() {
    try {
      while (!list.closed()) {
        if (!round()) {
          list.await(list.untilDueMs(clock.millis(), settings.backoffMs()));
        }
      }
    } catch (InterruptedException stopping) {
      Thread.currentThread().interrupt();
    } finally {
      list.close(); // whatever ends the thread: nobody may be left to one that does no rounds
      leader.close();
    }
  }

  /**
   * One round.
   *
   * @return whether there was anything to ask for
   */
  boolean round() {
    Map<TopicIdPartition, FetchPosition> wanted = wanted();
    if (wanted.isEmpty()) {
      return false;
    }
    try {
      answered(wanted, leader.fetch(wanted));
    } catch (IOException | RuntimeException failure) {
      failed(wanted, failure);
    }
    return true;
  }

  /** How often it asks its leader. */
  Pace pace() {
    return pace;
  }

  /**
   * What is due, to be asked for; replicas that do not follow any more are let go, and those are
   * left out that have to wait for their quota and miss something.
   */
  public Map<TopicIdPartition, FetchPosition> wanted() {
    Map<TopicIdPartition, FetchPosition> wanted = new LinkedHashMap<>();
    list.due(clock.millis())
        .forEach(
            (id, entry) -> {
              Optional<FetchPosition> position = entry.replica().position(entry.leaderEpoch());
              if (position.isEmpty()) {
                list.end(id, entry.leaderEpoch());
              } else if (entry.lag() == 0 || !entry.replica().throttled()) {
                wanted.put(id, position.get());
              }
            });
    if (!wanted.isEmpty()) {
      pace.mark();
    }
    return wanted;
  }

  /** Takes what the leader answered to {@link #wanted}. */
  public void answered(
      Map<TopicIdPartition, FetchPosition> wanted, Map<TopicIdPartition, FetchAnswer> answers) {
    away = false;
    answers.forEach(
        (id, answer) -> {
          FetchPosition asked = wanted.get(id);
          if (asked != null) {
            taken(id, asked, answer);
          }
        });
  }

  /** There is no answer. */
  public void failed(Map<TopicIdPartition, FetchPosition> wanted, Exception failure) {
    if (list.closed()) {
      return;
    }
    if (!away) {
      away = true;
      LOG.atWarn()
          .addKeyValue("broker", broker)
          .addKeyValue("count", wanted.size())
          .addKeyValue("value", failure.toString())
          .log("the leader does not answer");
    }
    // Often only a connection of before that broker was started again, found closed when it is
    // used.
    wanted.forEach((id, asked) -> soon(id, asked));
  }

  private void later(TopicIdPartition id, FetchPosition asked) {
    list.delay(id, asked.leaderEpoch(), clock.millis() + settings.backoffMs());
  }

  /** Soon at first, later and later after that. */
  private void soon(TopicIdPartition id, FetchPosition asked) {
    int refusals = list.get(id).map(FetchList.Entry::refusals).orElse(0);
    long pauseMs = Math.min(settings.backoffMs(), SOON_MS << Math.min(refusals, 10));
    list.delay(id, asked.leaderEpoch(), clock.millis() + pauseMs);
  }

  private void taken(TopicIdPartition id, FetchPosition asked, FetchAnswer answer) {
    Optional<FetchList.Entry> entry =
        list.get(id).filter(now -> now.leaderEpoch() == asked.leaderEpoch());
    if (entry.isEmpty()) {
      return;
    }
    try {
      take(entry.get().replica(), asked, answer);
    } catch (KafkaStorageException failure) {
      LOG.atError().addKeyValue("partition", id).setCause(failure).log("can not follow");
      list.fail(id, asked.leaderEpoch());
    } catch (CorruptRecordException | InvalidRecordException failure) {
      // Perhaps only on the way, or cut while it was read: the next answer may be whole.
      LOG.atError().addKeyValue("partition", id).setCause(failure).log("damaged records came");
      later(id, asked);
    } catch (IOException | RuntimeException failure) {
      LOG.atError().addKeyValue("partition", id).setCause(failure).log("can not follow now");
      later(id, asked);
    }
  }

  private void take(FollowedReplica replica, FetchPosition asked, FetchAnswer answer)
      throws IOException {
    switch (answer.error()) {
      case NONE -> {
        Optional<EpochEnd> diverging = answer.diverging();
        if (diverging.isPresent()) {
          replica.diverged(asked, diverging.get());
        } else {
          replica.take(asked, answer);
          learnLag(replica, asked, answer);
        }
      }
      case OFFSET_OUT_OF_RANGE -> {
        Leader.Range range = leader.range(replica.id(), asked.leaderEpoch());
        replica.outOfRange(asked, range.startOffset(), range.endOffset());
      }
      default -> {
        // Leadership moves, metadata arrives at different times: whoever writes with acks=all
        // waits.
        LOG.atDebug()
            .addKeyValue("partition", replica.id())
            .addKeyValue("broker", broker)
            .addKeyValue("value", answer.error())
            .log("refused by the leader");
        soon(replica.id(), asked);
      }
    }
  }

  private void learnLag(FollowedReplica replica, FetchPosition asked, FetchAnswer answer) {
    int epoch = asked.leaderEpoch();
    replica
        .position(epoch)
        .ifPresent(
            now ->
                list.lags(replica.id(), epoch, Math.max(0, answer.highWatermark() - now.offset())));
  }

  @Override
  public void close() {
    list.close();
    leader.cancel();
  }
}
