package io.strandline.tests.process;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Ports of the loopback address that were free a moment ago, each given out once. They lie below
 * those that the kernel gives to outgoing connections, so that a node that is stopped finds its own
 * again when it is started.
 */
public final class Ports {
  private static final int FROM = 15_000;
  private static final int TO = 32_000;
  private static final Set<Integer> GIVEN = ConcurrentHashMap.newKeySet();

  private Ports() {}

  /** One more. */
  public static int free() throws IOException {
    IOException last = new IOException("no port tried");
    for (int i = 0; i < 1_000; i++) {
      int port = ThreadLocalRandom.current().nextInt(FROM, TO);
      if (GIVEN.contains(port)) {
        continue;
      }
      try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
        if (GIVEN.add(socket.getLocalPort())) {
          return port;
        }
      } catch (IOException e) {
        last = e;
      }
    }
    throw new IOException("no free port between " + FROM + " and " + TO, last);
  }
}
