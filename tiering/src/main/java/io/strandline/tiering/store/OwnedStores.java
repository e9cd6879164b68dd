package io.strandline.tiering.store;

/**
 * Where each cluster's objects lie. A manifest names segments by the cluster that owns them (design
 * D15, D16): this cluster's own lie in its store, another's in that one's, which is only read.
 */
@FunctionalInterface
public interface OwnedStores {
  /**
   * The store that a cluster's objects lie in. Asks nothing of any store.
   *
   * @param cluster id of the owner
   * @return never null: the calls of a store that is not known fail with {@link
   *     StoreException.Unavailable}
   */
  ObjectStore of(String cluster);

  /** Whether the store of this cluster is known, be it reachable or not. */
  default boolean knows(String cluster) {
    return true;
  }

  /** Whoever owns them, all objects lie in this one. */
  static OwnedStores all(ObjectStore store) {
    return cluster -> store;
  }
}
