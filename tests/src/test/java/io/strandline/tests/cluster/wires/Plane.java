package io.strandline.tests.cluster.wires;

/** What connections between nodes are for; each has listeners of its own. */
public enum Plane {
  /** From brokers and controllers to controllers: quorum, heartbeats, changes of the ISR. */
  CONTROLLER,
  /** From brokers to brokers: replication, coordinators. */
  BROKERS,
  /** From clients, which are {@link Wires#CLIENTS}. */
  PLAINTEXT
}
