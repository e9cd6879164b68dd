package io.strandline.tiering.mount;

import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.OwnedStores;
import io.strandline.tiering.store.StoreOwner;
import io.strandline.tiering.store.guard.ReadOnlyObjectStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * This cluster's store and those of others, found by who owns them: each prefix says so itself
 * ({@link StoreOwner}), and is asked until it answered. Threads: any.
 *
 * <ul>
 *   <li>Nothing is ever written to, or deleted from, a store of others.
 *   <li>A store whose owner is not known yet, or is not among these, is away, not empty: what lies
 *       there is neither missing nor corrupt.
 * </ul>
 */
public final class MountedStores implements OwnedStores, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(MountedStores.class);

  private final ObjectStore own;
  private final List<ObjectStore> others;
  private final Set<ObjectStore> unidentified = ConcurrentHashMap.newKeySet();
  private final Map<String, ObjectStore> byCluster = new ConcurrentHashMap<>();
  private volatile Optional<String> cluster = Optional.empty();

  /**
   * @param own stays the caller's
   * @param others of other clusters, with their guards; made read-only and closed here
   */
  public MountedStores(ObjectStore own, List<ObjectStore> others) {
    this.own = own;
    this.others = others.stream().<ObjectStore>map(ReadOnlyObjectStore::new).toList();
    unidentified.addAll(this.others);
  }

  /** Says whose own store is; before, every object counts as this cluster's. */
  public void ownedBy(String clusterId) {
    cluster = Optional.of(clusterId);
  }

  /** Whether the cluster is another one, as far as it is known who this one is. */
  public boolean foreign(String owner) {
    return cluster.isPresent() && !cluster.get().equals(owner);
  }

  @Override
  public ObjectStore of(String owner) {
    if (!foreign(owner)) {
      return own;
    }
    ObjectStore known = byCluster.get(owner);
    return known != null ? known : new AbsentStore(own, owner);
  }

  @Override
  public boolean knows(String owner) {
    return !foreign(owner) || byCluster.containsKey(owner);
  }

  /** The store of another cluster, once it said that it is. */
  public Optional<ObjectStore> other(String owner) {
    return Optional.ofNullable(byCluster.get(owner));
  }

  /** The other clusters whose stores have answered, in the order of their ids. */
  public Set<String> clusters() {
    return new TreeSet<>(byCluster.keySet());
  }

  /**
   * Asks those stores for their owner that have not said yet. Cost: 1 GET each.
   *
   * @return completes when all have answered or failed, with whether all have an owner; never fails
   */
  public CompletableFuture<Boolean> identify() {
    List<CompletableFuture<Boolean>> asked = new ArrayList<>();
    for (ObjectStore store : unidentified) {
      asked.add(
          StoreOwner.read(store)
              .thenApply(owner -> learn(store, owner))
              .exceptionally(failure -> unknown(store, failure)));
    }
    return CompletableFuture.allOf(asked.toArray(CompletableFuture[]::new))
        .thenApply(all -> unidentified.isEmpty());
  }

  private static boolean unknown(ObjectStore store, Object reason) {
    LOG.atWarn()
        .addKeyValue("store", store.describe())
        .addKeyValue("reason", reason)
        .log("a store of another cluster does not say whose it is");
    return false;
  }

  private boolean learn(ObjectStore store, Optional<String> owner) {
    if (owner.isEmpty()) {
      return unknown(store, "it has no object named owner");
    }
    unidentified.remove(store);
    boolean second = !foreign(owner.get()) || byCluster.putIfAbsent(owner.get(), store) != null;
    LOG.atLevel(second ? Level.WARN : Level.INFO)
        .addKeyValue("store", store.describe())
        .addKeyValue("value", owner.get())
        .log(second ? "a second store of a cluster is not used" : "history is read from another");
    return true;
  }

  @Override
  public void close() {
    others.forEach(ObjectStore::close);
  }
}
