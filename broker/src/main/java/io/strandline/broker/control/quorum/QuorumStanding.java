package io.strandline.broker.control.quorum;

/**
 * The metadata quorum as this node sees it.
 *
 * @param node this one's id
 * @param leader the active controller's id, -1 while none is known
 * @param epoch of the leader
 * @param committedOffset up to which the metadata log is committed, -1 while unknown
 */
public record QuorumStanding(int node, int leader, int epoch, long committedOffset) {
  /** Whether anybody leads. */
  public boolean led() {
    return leader >= 0;
  }

  /** Whether this node is the active controller. */
  public boolean leads() {
    return leader == node;
  }
}
