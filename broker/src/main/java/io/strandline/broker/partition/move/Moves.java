package io.strandline.broker.partition.move;

import io.micrometer.core.instrument.Gauge;
import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.log.LogDirectory;
import io.strandline.broker.log.LogMove;
import io.strandline.broker.log.disk.DirectoryNames;
import io.strandline.broker.partition.Partition;
import io.strandline.broker.partition.PartitionRuntime;
import io.strandline.broker.partition.keep.Home;
import io.strandline.broker.partition.keep.Unfinished;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.InvalidReplicaAssignmentException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.errors.LogDirNotFoundException;
import org.apache.kafka.common.errors.ReplicaNotAvailableException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All replicas that are being moved to another log directory of this broker. A few threads copy, a
 * round of each in turn; that a move is wanted stands on disk, and the next process goes on with
 * it.
 *
 * <p>Threads: any.
 */
public final class Moves implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Moves.class);
  private static final long ROUND_BYTES = 16 << 20;

  private final PartitionRuntime runtime;
  private final ControlPlane control;
  private final Home home;
  private final Map<TopicPartition, Partition> hosted;
  private final Pace pace;
  private final Map<TopicPartition, Move> moves = new ConcurrentHashMap<>();
  private final Queue<Move> due = new ArrayDeque<>();
  private int working; // threads; with the queue under its lock
  private volatile boolean closed;

  /**
   * @param hosted all replicas, a live view
   */
  public Moves(
      PartitionRuntime runtime,
      ControlPlane control,
      Home home,
      Map<TopicPartition, Partition> hosted) {
    this.runtime = runtime;
    this.control = control;
    this.home = home;
    this.hosted = hosted;
    this.pace = new Pace(runtime.settings().moveBytesPerSecond(), runtime.clock());
    Gauge.builder("strandline.partition.moving", moves, Map::size).register(runtime.meters());
  }

  /** Goes on with what an earlier process began; leaves alone what a failed disk may explain. */
  public void resume() {
    for (LogDirectory directory : List.copyOf(home.directories())) {
      if (directory.online()) {
        try {
          directory.futures().forEach(id -> resume(id, directory));
        } catch (KafkaStorageException failed) {
          LOG.atWarn().setCause(failed).log("moves of an earlier process are not known");
        }
      }
    }
  }

  private void resume(TopicIdPartition id, LogDirectory directory) {
    Partition partition = hosted.get(id.topicPartition());
    if (partition == null || !partition.id().equals(id)) {
      if (home.offline().isEmpty()) {
        directory.discardFuture(id);
      }
    } else if (partition.log().directory() == directory || moves.containsKey(id.topicPartition())) {
      directory.discardFuture(id);
    } else {
      begin(partition, directory);
    }
  }

  /**
   * The replica is to lie in the directory: it begins to move there, or will be made there if it is
   * yet to come.
   *
   * @param path of a log directory, absolute
   * @throws LogDirNotFoundException this broker has no such
   * @throws KafkaStorageException that one, or the one where the replica lies, is offline
   * @throws InvalidReplicaAssignmentException it is cordoned
   * @throws ReplicaNotAvailableException the replica is not here; the directory is remembered
   * @throws UnknownTopicOrPartitionException there is no such partition
   */
  public synchronized void request(TopicPartition partition, String path) {
    if (!DirectoryNames.movable(partition)) {
      throw new InvalidTopicException("the name of " + partition + " is too long to be moved");
    }
    LogDirectory to = home.online(path);
    if (control.cordonedDirectories().contains(to.path())) {
      throw new InvalidReplicaAssignmentException("log directory " + path + " is cordoned");
    }
    Partition found = hosted.get(partition);
    if (found == null) {
      home.prefer(partition, to);
      throw control.view().partition(partition).isPresent()
          ? new ReplicaNotAvailableException(partition + " is not here")
          : new UnknownTopicOrPartitionException("there is no " + partition);
    }
    if (!found.log().directory().online()) {
      throw new KafkaStorageException("the log directory of " + partition + " failed");
    }
    Move under = moves.get(partition);
    if (under != null && under.copy.to() == to) {
      return;
    }
    if (under != null && cancel(under, "another directory was asked for")) {
      under.undo();
    }
    if (found.log().directory() == to) {
      return;
    }
    if (!home.offline().isEmpty()) { // there might be a copy on its way already
      throw new KafkaStorageException("log directories " + home.offline() + " are offline");
    }
    begin(found, to);
  }

  private void begin(Partition partition, LogDirectory to) {
    Move move = new Move(partition, to.move(partition.log()));
    moves.put(partition.id().topicPartition(), move);
    LOG.atInfo()
        .addKeyValue("partition", partition.id())
        .addKeyValue("path", to.path())
        .addKeyValue("bytes", partition.log().sizeBytes())
        .log("begins to move");
    enqueue(move);
  }

  /** The copy of a replica that is being moved. */
  public Optional<LogMove> of(TopicPartition partition) {
    return Optional.ofNullable(moves.get(partition)).map(move -> move.copy);
  }

  /**
   * Whether the controller was told already that the replica lies in that directory, to which it is
   * moving.
   */
  public boolean announced(TopicIdPartition id, Uuid directory) {
    Move move = moves.get(id.topicPartition());
    return move != null && move.asked && home.id(move.copy.to()).equals(directory);
  }

  /** The replica goes, for good. */
  public void cancel(TopicIdPartition id) {
    Move move = moves.get(id.topicPartition());
    if (move != null && move.partition.id().equals(id)) {
      cancelLater(move, "the replica goes");
    }
  }

  /** Whatever was to come from there, or go there, stays where it is. */
  public void failed(LogDirectory directory) {
    for (Move move : moves.values()) {
      if (move.copy.from() == directory || move.copy.to() == directory) {
        cancelLater(move, "a log directory failed");
      }
    }
  }

  private void cancelLater(Move move, String why) {
    if (cancel(move, why)) {
      runtime.moves().execute(move::undo);
    }
  }

  private boolean cancel(Move move, String why) {
    if (!moves.remove(move.partition.id().topicPartition(), move)) {
      return false;
    }
    move.over = true;
    LOG.atInfo()
        .addKeyValue("partition", move.partition.id())
        .addKeyValue("reason", why)
        .log("is not moved any more");
    return true;
  }

  // ---- who copies

  private void enqueue(Move move) {
    synchronized (due) {
      due.add(move);
      if (working >= runtime.settings().moveThreads()) {
        return;
      }
      working++;
    }
    try {
      runtime.moves().execute(this::work);
    } catch (RuntimeException | Error refused) {
      boolean waits;
      synchronized (due) {
        working--;
        waits = due.remove(move);
      }
      LOG.atWarn()
          .addKeyValue("partition", move.partition.id())
          .setCause(refused)
          .log("no thread to move it; tried again");
      if (waits) {
        later(move, Move.FULL_MS);
      }
    }
  }

  private @Nullable Move next() {
    synchronized (due) {
      Move move = closed ? null : due.poll();
      if (move == null) {
        working--;
      }
      return move;
    }
  }

  private void work() {
    for (Move next = next(); next != null; next = next()) {
      Move move = next;
      try {
        move.round();
      } catch (RuntimeException | Error failure) {
        Unfinished.carefully(move.partition.id(), () -> ended(move, failure));
      }
    }
  }

  /** A directory that a log has come to is to know its high watermark. */
  private void checkpoint() {
    try {
      home.checkpoint(hosted.values());
    } catch (KafkaStorageException failed) {
      LOG.atWarn().setCause(failed).log("high watermarks are not written");
    }
  }

  private void later(Move move, long delayMs) {
    if (!closed) {
      var unused =
          runtime.scheduler().schedule(() -> enqueue(move), delayMs, TimeUnit.MILLISECONDS);
    }
  }

  private void ended(Move move, Throwable failure) {
    if (!move.over) {
      LOG.atError()
          .addKeyValue("partition", move.partition.id())
          .setCause(failure)
          .log("cannot be moved to another directory");
      cancelLater(move, "it failed");
    }
  }

  /** What is under way stops where it is. */
  @Override
  public void close() {
    closed = true;
    moves.values().forEach(Move::stop);
  }

  /**
   * One replica's way: copied until little is left, then the controller is told where it will lie,
   * and once that is so the rest is copied while the owner waits. Told before, so that nobody
   * believes it elsewhere when that directory fails (KIP-858).
   */
  private final class Move {
    private static final long PAUSE_MS = 20;
    private static final long FULL_MS = 1_000;
    private static final int ACTIVE_BYTES = 16 << 20;
    private static final int ACTIVE_BYTES_MAX = 256 << 20;

    private final Partition partition;
    private final LogMove copy;
    private volatile boolean asked;
    private volatile boolean accepted;
    private volatile boolean over;
    private volatile boolean finished;
    private int activeBytesMax = ACTIVE_BYTES;

    Move(Partition partition, LogMove copy) {
      this.partition = partition;
      this.copy = copy;
    }

    void round() {
      long waitMs = runtime.space().spare(copy.to()) ? pace.waitMs() : FULL_MS;
      if (waitMs > 0) {
        later(this, waitMs);
      } else if (copyRound()) {
        towardsTheEnd();
      }
    }

    /** Whether little enough is left; else it comes again. */
    private boolean copyRound() {
      long copied;
      long rest;
      synchronized (this) {
        if (over) {
          return false;
        }
        copied = copy.copy(pace.roundBytes(ROUND_BYTES));
        rest = copy.restBytes();
      }
      pace.copied(copied);
      if (rest <= LogMove.REST_BYTES) {
        return true;
      }
      if (copied > 0) {
        enqueue(this);
      } else {
        later(this, PAUSE_MS);
      }
      return false;
    }

    private void towardsTheEnd() {
      if (partition.log().activeSegmentBytes() > activeBytesMax) {
        // What is active is read once more when the log stands still for it.
        activeBytesMax = Math.min(ACTIVE_BYTES_MAX, 2 * activeBytesMax);
        comesAgain(partition.step(partition.log()::roll));
        return;
      }
      if (!asked) {
        asked = true;
        control.assignDirectory(
            partition.id(), home.id(copy.to()), "moved there", () -> accepted = true);
      }
      if (accepted) {
        comesAgain(partition.step(this::finish));
      } else {
        later(this, PAUSE_MS);
      }
    }

    private void comesAgain(CompletableFuture<Void> step) {
      var unused =
          step.whenComplete(
              (done, failure) -> {
                if (failure != null) {
                  ended(this, failure);
                } else if (!over) {
                  later(this, PAUSE_MS);
                } else if (finished) {
                  runtime.moves().execute(Moves.this::checkpoint);
                }
              });
    }

    /** The owner's step. */
    private void finish() {
      if (over) {
        return;
      }
      synchronized (this) {
        if (!over && copy.finish()) {
          finished = true;
          over = true;
          moves.remove(partition.id().topicPartition(), this);
        }
      }
    }

    /** Nobody copies any more when this returns. */
    void stop() {
      over = true;
      synchronized (this) {
        LOG.atDebug().addKeyValue("partition", partition.id()).log("stops on its way");
      }
    }

    synchronized void undo() {
      if (finished || closed) {
        return;
      }
      try {
        copy.discard();
      } catch (ApiException failed) {
        LOG.atDebug().setCause(failed).log("a directory failed meanwhile");
      }
      if (asked && hosted.get(partition.id().topicPartition()) == partition) {
        control.assignDirectory(
            partition.id(), home.id(copy.from()), "stays where it was", () -> {});
      }
    }
  }
}
