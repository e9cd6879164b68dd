package io.strandline.tests.cluster;

import java.util.Map;

/**
 * A node of a cluster.
 *
 * @param port where clients find it, if it is a broker
 * @param voter {@code id@host:port:directory}, empty for one that the metadata does not name
 * @param settings all of them
 */
record NodeSpec(int id, NodeRole role, int port, String voter, Map<String, String> settings) {}
