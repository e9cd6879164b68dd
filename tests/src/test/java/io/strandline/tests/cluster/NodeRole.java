package io.strandline.tests.cluster;

/** What a node of a cluster is. */
public enum NodeRole {
  COMBINED("broker,controller"),
  BROKER("broker"),
  CONTROLLER("controller"),

  /** A broker that serves history alone, by a listener of its own. */
  REPLAY("broker");

  private final String roles;

  NodeRole(String roles) {
    this.roles = roles;
  }

  String roles() {
    return roles;
  }

  boolean broker() {
    return this == COMBINED || this == BROKER;
  }

  boolean controller() {
    return this == COMBINED || this == CONTROLLER;
  }
}
