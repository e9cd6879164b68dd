package io.strandline.broker.partition;

import io.strandline.broker.control.ClusterView;
import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.control.LocalChanges;
import io.strandline.broker.control.MetadataListener;
import io.strandline.broker.control.PartitionState;
import io.strandline.broker.log.LogDirectory;
import io.strandline.broker.log.PartitionLog;
import io.strandline.broker.log.nursery.LogNursery;
import io.strandline.broker.partition.keep.Home;
import io.strandline.broker.partition.keep.Hosts;
import io.strandline.broker.partition.keep.Housekeeping;
import io.strandline.broker.partition.keep.Strays;
import io.strandline.broker.partition.lost.LostLogs;
import io.strandline.broker.partition.move.Moves;
import io.strandline.broker.replica.FetchPosition;
import io.strandline.broker.replica.TierMark;
import io.strandline.broker.replica.arrival.Newcomers;
import io.strandline.tiering.TierProgress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.InconsistentTopicIdException;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.errors.NotLeaderOrFollowerException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All replicas that this broker hosts: opens their logs, follows the metadata, keeps house.
 *
 * <p>Threads: any. Changes of the metadata are carried out one after another on {@code changes}, so
 * the thread that loads metadata never waits for a disk; until one is carried out, the partitions
 * it concerns answer with errors that clients retry.
 */
public final class Partitions implements MetadataListener, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Partitions.class);

  private final PartitionRuntime runtime;
  private final ControlPlane control;
  private final Home home;
  private final Tier tier;
  private final Executor changes;
  private final Housekeeping housekeeping;
  private final Replication replication;
  private final LostLogs lost;
  private final Moves moves;
  private boolean first; // whether this is the first word of the metadata; of the thread of changes
  private volatile CompletableFuture<Void> settled = CompletableFuture.completedFuture(null);
  private final ConcurrentHashMap<TopicPartition, Partition> hosted = new ConcurrentHashMap<>();
  private final Hosts hosts;

  /** Closing, their files still in the way of a new replica of the same name. */
  private final ConcurrentHashMap<TopicPartition, CompletableFuture<Void>> leavings =
      new ConcurrentHashMap<>();

  /**
   * @param home of open directories, closed by {@link #close}
   * @param changes carries out one task at a time, in order, and may block
   */
  public Partitions(
      PartitionRuntime runtime, ControlPlane control, Home home, Tier tier, Executor changes) {
    this.runtime = runtime;
    this.control = control;
    this.hosts = new Hosts(hosted, control, home);
    this.home = home;
    this.tier = tier;
    this.changes = changes;
    this.housekeeping = new Housekeeping(runtime, home, hosted.values(), tier);
    this.replication = new Replication(runtime, hosted, this::renew);
    this.lost = new LostLogs(runtime, tier, changes);
    this.moves = new Moves(runtime, control, home, hosted);
    replication.tell(() -> home.offline().size());
  }

  /** Opens all logs, recovering those that need it, directories in parallel; blocks until done. */
  public void open(ClusterView view) {
    new Opening(home, hosted, runtime).all(view);
    for (LogDirectory directory : home.directories()) {
      directory.onFailure(this::failed);
    }
    housekeeping.start();
    replication.start();
    moves.resume();
    // Beside the way up: a name costs microseconds, and there may be tens of thousands.
    changes.execute(() -> hosted.values().forEach(this::show));
  }

  /** The replica, if this broker hosts it, led here or not. */
  public Optional<Partition> hosted(TopicPartition partition) {
    return Optional.ofNullable(hosted.get(partition));
  }

  /**
   * The replica, led here.
   *
   * @throws NotLeaderOrFollowerException led elsewhere, or not taken over yet
   * @throws UnknownTopicOrPartitionException there is none
   * @throws KafkaStorageException its directory failed
   */
  public Partition leaderOrThrow(TopicPartition partition) {
    Partition found = hosts.find(partition);
    found.leadingOrThrow(OptionalInt.empty());
    return found;
  }

  /**
   * As above, for a request that names the topic by id.
   *
   * @throws InconsistentTopicIdException the name has another id
   */
  public Partition leaderOrThrow(TopicIdPartition partition) {
    return Hosts.named(partition, leaderOrThrow(partition.topicPartition()));
  }

  /** As above, led or followed here (KIP-392). */
  public Partition replicaOrThrow(TopicIdPartition partition) {
    Partition found = hosts.find(partition.topicPartition());
    found.requireReplica(OptionalInt.empty());
    return Hosts.named(partition, found);
  }

  /** A partition led here is tiered so far. */
  public void tiered(TopicIdPartition id, TierProgress progress) {
    Partition partition = hosted.get(id.topicPartition());
    if (partition != null && partition.id().equals(id)) {
      partition.tiered(
          new TierMark(
              progress.manifestVersion(),
              progress.tieredEndOffset(),
              partition.localLogStartOffset()));
    }
  }

  /**
   * A follower fetches from here, whatever it asks for.
   *
   * @return when
   */
  public long followerFetched(int replica) {
    return runtime.replicas().times().fetched(replica);
  }

  public Newcomers newcomers() {
    return runtime.replicas().newcomers();
  }

  public Collection<Partition> all() {
    return Collections.unmodifiableCollection(hosted.values());
  }

  // ---- the metadata

  @Override
  public void onChange(ClusterView before, ClusterView now, LocalChanges mine) {
    if (before.offset() < 0 || !mine.equals(LocalChanges.NONE)) {
      CompletableFuture<Void> carriedOut =
          CompletableFuture.completedFuture(mine)
              .thenComposeAsync(changed -> apply(before, now, changed), changes);
      // Steps of an earlier change may still be under way when a later one is through.
      settled = settled.isDone() ? carriedOut : CompletableFuture.allOf(settled, carriedOut);
    }
    replication.clusterChanged();
  }

  /**
   * Completes when what the metadata said so far has been carried out. Clients hear of a partition
   * as soon as the metadata has it; a request that waits for this does not find it missing.
   */
  public CompletableFuture<Void> settled() {
    return settled;
  }

  private CompletableFuture<Void> apply(ClusterView before, ClusterView now, LocalChanges mine) {
    List<CompletableFuture<Void>> taken = new ArrayList<>();
    first = before.offset() < 0;
    try {
      if (first) {
        Strays.among(hosted.values(), now)
            .forEach(id -> drop(id, now.topicName(id.topicId()) == null));
      }
      mine.deleted().forEach(id -> drop(id, mine.deletedTopics().contains(id.topicId())));
      for (PartitionState state : mine.leaders().values()) {
        taken.add(take(state, now));
      }
      for (PartitionState state : mine.followers().values()) {
        taken.add(take(state, now));
      }
      mine.reconfigured().forEach(topic -> reconfigure(topic, now));
    } catch (RuntimeException failure) {
      LOG.atError().setCause(failure).log("a change of the metadata was not carried out");
    }
    return CompletableFuture.allOf(taken.toArray(CompletableFuture[]::new))
        .exceptionally(failure -> null);
  }

  private CompletableFuture<Void> take(PartitionState state, ClusterView now) {
    try {
      Partition partition = hosted.get(state.id().topicPartition());
      if (partition != null && !partition.id().topicId().equals(state.id().topicId())) {
        drop(partition.id(), true); // an earlier topic of that name, deleted while we were away
        partition = null;
      }
      CompletableFuture<Void> leaving = leavings.get(state.id().topicPartition());
      if (partition == null && leaving != null) {
        return leaving.thenComposeAsync(gone -> takeNow(state.id()), changes);
      }
      boolean older = first || !state.brandNew();
      if (partition == null && older && home.mayBeOffline(state.directory())) {
        LOG.atError().addKeyValue("partition", state.id()).log("its log directory failed");
        return CompletableFuture.completedFuture(null);
      }
      if (partition == null && lost.beginsInTier(state, first, now.nodeId())) {
        lost.search(state, now.nodeId(), () -> home.choose(state, hosted.values()), this::adopt);
        return CompletableFuture.completedFuture(null);
      }
      if (partition != null && doubtful(partition, state, now.nodeId())) {
        Partition led = partition;
        lost.search(
            state,
            now.nodeId(),
            () -> led.log().directory(),
            (directory, nursery, epoch) -> compare(led, directory, nursery, epoch));
        return CompletableFuture.completedFuture(null);
      }
      lost.cancel(state.id());
      return take(partition == null ? create(state, now) : partition, state, now);
    } catch (RuntimeException failure) { // one odd partition must not cost the others their change
      LOG.atError().addKeyValue("partition", state.id()).setCause(failure).log("cannot be hosted");
      return CompletableFuture.completedFuture(null);
    }
  }

  private CompletableFuture<Void> take(Partition taken, PartitionState state, ClusterView now) {
    assign(taken, state);
    return taken
        .become(state, now.nodeId(), tier.mounted(taken))
        .thenRun(
            () -> {
              replication.took(taken);
              if (taken.leads()) {
                tier.lead(taken);
              }
              if (!taken.leads() && !taken.role().readOnly()) { // or was dropped meanwhile
                tier.leave(taken.id());
              }
            });
  }

  /**
   * Whether a log may miss what the tier has of it, or have something else in its place: it was
   * elected though it was not in sync. The tier is believed; an only replica uploaded all of it.
   */
  private boolean doubtful(Partition partition, PartitionState state, int node) {
    return state.leader() == node
        && state.recovering()
        && state.replicas().size() > 1
        && partition.leaderEpoch() < state.leaderEpoch()
        && tier.holds(partition);
  }

  /** Leads with the log that is here, if it has what the tier has, or with what the tier has. */
  private boolean compare(
      Partition there, LogDirectory directory, LogNursery nursery, int leaderEpoch) {
    TopicIdPartition id = there.id();
    ClusterView now = control.view();
    Optional<PartitionState> asAsked = asked(id, now, leaderEpoch);
    if (asAsked.isEmpty() || nursery.within(there.log())) {
      directory.discard(nursery);
      return asAsked.map(state -> take(there, state, now)).isPresent();
    }
    LOG.atWarn()
        .addKeyValue("partition", id)
        .addKeyValue("offset", there.logEndOffset())
        .log("elected uncleanly; its log is not what the tier has, and begins anew at its end");
    drop(id, false);
    var unused =
        leavings
            .getOrDefault(id.topicPartition(), CompletableFuture.completedFuture(null))
            .thenRunAsync(
                () -> {
                  if (!adopt(directory, nursery, leaderEpoch)) {
                    CompletableFuture<Void> unusedAgain = takeNow(id);
                  }
                },
                changes);
    return true;
  }

  /**
   * Lets a replica that still follows from there go, and begin at the tier's end, whether or not
   * anything more is copied there now.
   */
  private void renew(TopicIdPartition id, FetchPosition found) {
    changes.execute(
        () ->
            hosted(id.topicPartition())
                .filter(p -> p.id().equals(id) && p.follower().standsAt(found))
                .ifPresent(
                    partition -> {
                      LOG.atInfo()
                          .addKeyValue("partition", id)
                          .addKeyValue("offset", partition.logEndOffset())
                          .log("begins anew at the tier's end: what it misses is there alone");
                      drop(id, false);
                      lost.straggles(id);
                      var unused = takeNow(id);
                    }));
  }

  /** Takes what the metadata meanwhile says of the replica, if it still is one. */
  private CompletableFuture<Void> takeNow(TopicIdPartition id) {
    ClusterView now = control.view();
    return Optional.of(now)
        .filter(view -> hosts(view, id))
        .flatMap(view -> view.partition(id.topicPartition()))
        .map(state -> take(state, now))
        .orElseGet(() -> CompletableFuture.completedFuture(null));
  }

  private static Optional<PartitionState> asked(TopicIdPartition id, ClusterView now, int epoch) {
    return now.partition(id.topicPartition())
        .filter(state -> hosts(now, id) && state.leaderEpoch() == epoch);
  }

  private static boolean hosts(ClusterView view, TopicIdPartition id) {
    return view.partition(id.topicPartition())
        .filter(state -> state.id().equals(id) && state.replicas().contains(view.nodeId()))
        .isPresent();
  }

  private Partition create(PartitionState state, ClusterView now) {
    LogDirectory directory = home.choose(state, hosted.values());
    return host(directory.create(state.id(), now.logConfig(state.id().topic())));
  }

  private Partition host(PartitionLog log) {
    Partition created = new Partition(log, log.logEndOffset(), runtime);
    hosted.put(log.partition().topicPartition(), created);
    home.came(log.partition().topicPartition());
    show(created);
    return created;
  }

  private void show(Partition p) {
    runtime
        .kafka()
        .show(
            p.log(),
            () ->
                p.role()
                    .standing(
                        Replication.minInSync(p),
                        Math.max(0, p.highWatermark() - p.lastStableOffset())));
  }

  /** Whether the partition's log is lost and being fetched from the tier. */
  public boolean refilling(TopicPartition partition) {
    return lost.searching(partition);
  }

  /** Not in an epoch that is over: somebody else may have led, and tiered more, since. */
  private boolean adopt(LogDirectory directory, LogNursery nursery, int leaderEpoch) {
    TopicIdPartition id = nursery.partition();
    ClusterView now = control.view();
    Optional<PartitionState> asAsked = asked(id, now, leaderEpoch);
    if (asAsked.isEmpty()) {
      directory.discard(nursery);
      return false;
    }
    Partition adopted = host(directory.adopt(nursery, now.logConfig(id.topic())));
    var unused = take(adopted, asAsked.get(), now);
    return true;
  }

  /** Tells the controller where the replica lies if that is not what it knows. */
  private void assign(Partition partition, PartitionState state) {
    Uuid directory = home.id(partition.log().directory());
    if (!directory.equals(state.directory())
        && !moves.announced(partition.id(), state.directory())) {
      control.assignDirectory(partition.id(), directory, "hosted here", () -> {});
    }
  }

  /**
   * @param everywhere the topic was deleted, rather than the replica moved
   */
  private void drop(TopicIdPartition id, boolean everywhere) {
    Partition partition = hosted.get(id.topicPartition());
    if (partition == null || !partition.id().equals(id)) {
      forgetLost(id, everywhere);
      return;
    }
    moves.cancel(id);
    hosted.remove(id.topicPartition());
    replication.left(id);
    runtime.kafka().hide(partition.log());
    tier.leave(id);
    PartitionLog log = partition.log();
    TopicPartition name = id.topicPartition();
    CompletableFuture<Void> leaving = new CompletableFuture<>();
    leavings.put(name, leaving);
    var unused =
        (everywhere ? tier.delete(partition) : CompletableFuture.completedFuture(true))
            .thenCompose(
                mayGo -> partition.close(mayGo ? () -> log.directory().delete(log) : () -> {}))
            .whenComplete(
                (done, failure) -> {
                  tier.leave(id);
                  leavings.remove(name, leaving);
                  leaving.complete(null);
                });
  }

  /** The log was being fetched and is not wanted any more. */
  private void forgetLost(TopicIdPartition id, boolean everywhere) {
    OptionalInt epoch = lost.cancel(id);
    if (epoch.isPresent() && everywhere) {
      var unused = tier.delete(id, epoch.getAsInt(), true);
    }
  }

  private void reconfigure(String topic, ClusterView now) {
    for (Partition partition : hosted.values()) {
      if (partition.id().topic().equals(topic)) {
        partition.reconfigure(now.logConfig(topic));
        replication.took(partition);
        if (partition.leads()) {
          tier.lead(partition);
        }
      }
    }
  }

  // ---- disks

  private void failed(LogDirectory directory) {
    LOG.atError().addKeyValue("path", directory.path()).log("log directory failed");
    moves.failed(directory);
    for (Partition partition : hosted.values()) {
      if (partition.log().directory() == directory) {
        partition.goOffline();
        replication.left(partition.id());
        tier.leave(partition.id());
      }
    }
    control.directoryFailed(home.id(directory));
  }

  /** The log directories. */
  public Home home() {
    return home;
  }

  /** Replicas on their way from one to another. */
  public Moves moves() {
    return moves;
  }

  /** The clean stop: no more appends, all flushed, checkpoints and the mark of it written. */
  @Override
  public void close() {
    replication.close();
    housekeeping.close();
    lost.close();
    moves.close();
    List<CompletableFuture<Void>> closed = new ArrayList<>();
    for (Partition partition : hosted.values()) {
      tier.leave(partition.id());
      closed.add(partition.close(() -> {}));
    }
    closed.forEach(CompletableFuture::join);
    home.checkpoint(hosted.values());
    for (LogDirectory directory : home.directories()) {
      if (directory.online()) {
        directory.close(control.brokerEpoch());
      } else {
        directory.close();
      }
    }
  }
}
