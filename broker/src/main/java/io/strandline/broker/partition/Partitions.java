package io.strandline.broker.partition;

import io.strandline.broker.control.ClusterView;
import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.control.LocalChanges;
import io.strandline.broker.control.MetadataListener;
import io.strandline.broker.control.PartitionState;
import io.strandline.broker.log.LogDirectory;
import io.strandline.broker.log.PartitionLog;
import io.strandline.broker.log.nursery.LogNursery;
import io.strandline.broker.partition.keep.Departures;
import io.strandline.broker.partition.keep.Home;
import io.strandline.broker.partition.keep.Hosts;
import io.strandline.broker.partition.keep.Housekeeping;
import io.strandline.broker.partition.keep.Memberships;
import io.strandline.broker.partition.keep.Strays;
import io.strandline.broker.partition.keep.Unfinished;
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
import java.util.Set;
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
  private volatile CompletableFuture<Void> settled = CompletableFuture.completedFuture(null);
  private final ConcurrentHashMap<TopicPartition, Partition> hosted = new ConcurrentHashMap<>();
  private final Hosts hosts;
  private final Memberships memberships;
  private final Departures departures;
  private final Unfinished unfinished = new Unfinished();

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
    this.memberships = new Memberships(hosted, tier, partition -> partition.role().readOnly());
    this.departures = new Departures(tier, Partition::close);
    this.replication = new Replication(runtime, hosted, this::renew, this::review);
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
    changes.execute(() -> hosted.values().forEach(replication::show));
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
              .thenComposeAsync(changed -> apply(before, now, changed), changes)
              .exceptionally(
                  failure -> {
                    LOG.atError().setCause(failure).log("a change was not carried out");
                    return null;
                  });
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
    mine.leaders().values().forEach(state -> lost.heard(state, before));
    mine.followers().values().forEach(state -> lost.heard(state, before));
    if (before.offset() < 0) {
      Strays.among(hosted.values(), now)
          .forEach(id -> drop(id, now.topicName(id.topicId()) == null));
      // The logs were opened with what was known then; an override that went since is no change.
      reconfigure(now.topics(), now);
    }
    mine.deleted().forEach(id -> drop(id, mine.deletedTopics().contains(id.topicId())));
    for (PartitionState state : mine.leaders().values()) {
      taken.add(take(state, now));
    }
    for (PartitionState state : mine.followers().values()) {
      taken.add(take(state, now));
    }
    reconfigure(mine.reconfigured(), now);
    return CompletableFuture.allOf(taken.toArray(CompletableFuture[]::new))
        .exceptionally(failure -> null); // logged by its partition
  }

  private CompletableFuture<Void> take(PartitionState state, ClusterView now) {
    try {
      Partition partition = hosted.get(state.id().topicPartition());
      if (partition != null && !partition.id().topicId().equals(state.id().topicId())) {
        drop(partition.id(), true); // an earlier topic of that name, deleted while we were away
        partition = null;
      }
      var leaving = departures.of(state.id().topicPartition());
      if (partition == null && leaving.isPresent()) {
        return leaving.get().thenComposeAsync(gone -> takeNow(state.id()), changes);
      }
      if (partition == null && !lost.brandNew(state) && home.mayBeOffline(state.directory())) {
        LOG.atError().addKeyValue("partition", state.id()).log("its log directory failed");
        return CompletableFuture.completedFuture(null);
      }
      if (partition == null && lost.beginsInTier(state, now.nodeId())) {
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
      Partition here = partition == null ? create(state, now) : partition;
      lost.cancel(state.id());
      return take(here, state, now);
    } catch (RuntimeException | Error failure) { // must not cost the others their change
      unfinished.add(state.id(), failure);
      return CompletableFuture.completedFuture(null);
    }
  }

  /** Now and then: what failed is done again. */
  private void review() {
    memberships.review();
    departures.review(changes);
    unfinished.again(changes, this::takeNow);
  }

  private CompletableFuture<Void> take(Partition taken, PartitionState state, ClusterView now) {
    assign(taken, state);
    return unfinished.unless(
        taken.id(),
        taken
            .become(state, now.nodeId(), tier.mounted(taken))
            .thenRun(
                () -> {
                  Unfinished.carefully(taken.id(), () -> replication.took(taken));
                  memberships.took(taken);
                }));
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
        departures
            .of(id.topicPartition())
            .orElseGet(() -> CompletableFuture.completedFuture(null))
            .thenRunAsync(() -> adoptOrLookAgain(directory, nursery, leaderEpoch), changes);
    return true;
  }

  /** Nobody else looks for a log that cannot be taken up. */
  private void adoptOrLookAgain(LogDirectory directory, LogNursery nursery, int leaderEpoch) {
    boolean adopted = false;
    try {
      adopted = adopt(directory, nursery, leaderEpoch);
    } catch (RuntimeException | Error failure) {
      LOG.atError()
          .addKeyValue("partition", nursery.partition())
          .setCause(failure)
          .log("its log cannot be begun anew; looked for again");
      Unfinished.carefully(nursery.partition(), () -> directory.discard(nursery));
    }
    if (!adopted) {
      var unused = takeNow(nursery.partition());
    }
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
    replication.show(created);
    return created;
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
    Unfinished.carefully(id, () -> moves.cancel(id));
    var unused = lost.cancel(id); // it leads in doubt, and the tier's end is looked for beside it
    hosted.remove(id.topicPartition());
    Unfinished.carefully(id, () -> replication.left(id));
    Unfinished.carefully(id, () -> runtime.kafka().hide(partition.log()));
    memberships.left(partition);
    departures.begin(partition, everywhere);
  }

  /** The log was being fetched and is not wanted any more. */
  private void forgetLost(TopicIdPartition id, boolean everywhere) {
    OptionalInt epoch = lost.cancel(id);
    if (epoch.isPresent() && everywhere) {
      Unfinished.carefully(
          id,
          () -> {
            var unused = tier.delete(id, epoch.getAsInt(), true);
          });
    }
  }

  private void reconfigure(Set<String> topics, ClusterView now) {
    if (topics.isEmpty()) {
      return;
    }
    for (Partition partition : hosted.values()) {
      String topic = partition.id().topic();
      if (topics.contains(topic)) {
        Unfinished.carefully(
            partition.id(),
            () -> {
              partition.reconfigure(now.logConfig(topic));
              replication.took(partition);
            });
        if (partition.leads()) {
          memberships.took(partition);
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
        Unfinished.carefully(
            partition.id(), () -> partition.goOffline(directory, () -> offline(partition)));
      }
    }
    control.directoryFailed(home.id(directory));
  }

  private void offline(Partition partition) {
    Unfinished.carefully(partition.id(), () -> replication.left(partition.id()));
    memberships.left(partition);
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
    memberships.close();
    List<CompletableFuture<Void>> closed = new ArrayList<>();
    hosted.values().forEach(partition -> closed.add(partition.close(() -> {})));
    closed.forEach(CompletableFuture::join);
    home.close(hosted.values(), control.brokerEpoch());
  }
}
