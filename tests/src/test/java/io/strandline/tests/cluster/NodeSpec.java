package io.strandline.tests.cluster;

import java.util.Map;

/**
 * A node of a cluster.
 *
 * @param port where clients find it, if it is a broker
 * @param voter {@code id@host:port:directory}, empty for one that the metadata does not name
 * @param launch what its process is started with
 */
record NodeSpec(int id, NodeRole role, int port, String voter, Launch launch) {
  /**
   * Of a process.
   *
   * @param settings all of them
   * @param environment what is added to the test's
   */
  record Launch(Map<String, String> settings, Map<String, String> environment) {}

  Map<String, String> settings() {
    return launch.settings();
  }
}
