package io.strandline.tools.balance;

/**
 * A broker as a plan sees it.
 *
 * @param rack empty if it has none: then it is as good as alone in one
 * @param alive whether the cluster counts it among the live ones
 * @param draining whether it is to hold nothing in the end
 * @param cordoned whether nothing new may be placed on it (KIP-1066)
 */
public record Broker(int id, String rack, boolean alive, boolean draining, boolean cordoned) {
  /** A live broker like any other. */
  public Broker(int id, String rack) {
    this(id, rack, true, false, false);
  }

  /** Whether replicas may be placed there; only such brokers are balanced. */
  public boolean takes() {
    return alive && !draining && !cordoned;
  }

  public Broker drained() {
    return new Broker(id, rack, alive, true, cordoned);
  }

  public Broker uncordoned() {
    return new Broker(id, rack, alive, draining, false);
  }
}
