package io.strandline.broker.control;

/**
 * Follows the metadata of the cluster, step by step. Called on the one thread that loads metadata,
 * in the order in which listeners were added: an implementation must never block and must not
 * throw.
 */
@FunctionalInterface
public interface MetadataListener {

  /**
   * The metadata moved on. The first call after {@link ControlPlane#listen} leads from the empty
   * cluster to the present one, so its changes name everything that this node hosts.
   *
   * @param before what was true until now
   * @param now what is true from now on; also {@link ControlPlane#view()}
   * @param mine what that means for the replicas of this node
   */
  void onChange(ClusterView before, ClusterView now, LocalChanges mine);
}
