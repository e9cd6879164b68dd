package io.strandline.broker;

import io.micrometer.core.instrument.MeterRegistry;
import io.strandline.broker.control.ClusterView;
import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.observe.Health;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.Endpoint;
import org.apache.kafka.common.utils.Utils;

/**
 * What carries records: object store, cache, logs, partitions, coordinators, handlers, sockets; put
 * together here, and nowhere else.
 */
final class DataPlane implements AutoCloseable {
  private final List<ServerSocketChannel> sockets = new ArrayList<>();
  private Map<String, Integer> ports = Map.of();

  private DataPlane() {}

  /**
   * Makes what needs nothing of the cluster: object store, cache, pools. Runs while the quorum
   * starts.
   */
  static DataPlane build(BrokerConfig config, MeterRegistry meters, Health health) {
    return new DataPlane();
  }

  /** Opens the logs with the topic configurations of {@code view}; recovers those that need it. */
  void open(ControlPlane control, ClusterView view) {}

  /**
   * Binds the listeners; gives the port of each by its name.
   *
   * @throws StartException naming the address that is taken
   */
  Map<String, Integer> listen(List<Endpoint> listeners) {
    Map<String, Integer> bound = new HashMap<>();
    for (Endpoint listener : listeners) {
      try {
        ServerSocketChannel channel = ServerSocketChannel.open();
        sockets.add(channel);
        boolean everywhere = listener.host() == null || listener.host().isEmpty();
        channel.bind(
            everywhere
                ? new InetSocketAddress(listener.port())
                : new InetSocketAddress(listener.host(), listener.port()));
        bound.put(listener.listener(), ((InetSocketAddress) channel.getLocalAddress()).getPort());
      } catch (IOException e) {
        throw new StartException(
            "the address "
                + listener.host()
                + ":"
                + listener.port()
                + " can not be bound ("
                + e.getMessage()
                + "): free it, or set listeners",
            e);
      }
    }
    ports = Map.copyOf(bound);
    return ports;
  }

  /** Follows the metadata: partitions first, then the coordinators that live on them. */
  void follow(ControlPlane control) {}

  Map<String, Integer> ports() {
    return ports;
  }

  /** Stops accepting, answers what is under way, closes the logs with the mark of a clean stop. */
  @Override
  public void close() {
    sockets.forEach(socket -> Utils.closeQuietly(socket, "listener"));
  }
}
