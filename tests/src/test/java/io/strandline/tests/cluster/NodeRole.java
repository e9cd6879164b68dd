package io.strandline.tests.cluster;

/** What a node of a cluster is: {@code process.roles}. */
public enum NodeRole {
  COMBINED("broker,controller"),
  BROKER("broker"),
  CONTROLLER("controller");

  private final String roles;

  NodeRole(String roles) {
    this.roles = roles;
  }

  String roles() {
    return roles;
  }

  boolean broker() {
    return this != CONTROLLER;
  }

  boolean controller() {
    return this != BROKER;
  }
}
