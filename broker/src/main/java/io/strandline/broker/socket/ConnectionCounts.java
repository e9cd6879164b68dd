package io.strandline.broker.socket;

import java.net.InetAddress;
import java.util.HashMap;
import java.util.Map;

/** How many connections are open, in all and by address. Safe for several threads. */
final class ConnectionCounts {
  private final SocketConfig.Limits limits;
  private final Map<InetAddress, Integer> byAddress = new HashMap<>();
  private int total;

  ConnectionCounts(SocketConfig.Limits limits) {
    this.limits = limits;
  }

  /** Counts one more; false, and not counted, when that is one too many. */
  synchronized boolean open(InetAddress address) {
    int ofAddress = byAddress.getOrDefault(address, 0);
    int ofAddressMax =
        limits
            .connectionsPerIp()
            .getOrDefault(address.getHostAddress(), limits.connectionsPerIpMax());
    if (total >= limits.connectionsMax() || ofAddress >= ofAddressMax) {
      return false;
    }
    total++;
    byAddress.put(address, ofAddress + 1);
    return true;
  }

  synchronized void close(InetAddress address) {
    total--;
    byAddress.computeIfPresent(address, (a, count) -> count == 1 ? null : count - 1);
  }

  synchronized int total() {
    return total;
  }
}
