package io.strandline.broker.control;

import java.util.Map;
import java.util.Optional;

/**
 * What a node says of itself when it registers.
 *
 * @param boundPorts by listener name the port really bound, for listeners configured with port 0
 * @param store the identity of its object store, if the store has told it already
 */
public record Joining(Map<String, Integer> boundPorts, Optional<String> store) {}
