package io.strandline.tests.process;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Ports of the loopback address that were free a moment ago, each given out once by the processes
 * of a build. They lie below those that the kernel gives to outgoing connections, so that a node
 * that is stopped finds its own again when it is started.
 */
public final class Ports {
  private static final int FROM = 15_000;
  private static final int TO = 32_000;

  /** Test processes side by side, and which of them this is, from 1: each has its own ports. */
  private static final int FORKS = Math.max(1, Integer.getInteger("test.forks", 1));

  private static final int FORK = Integer.getInteger("test.fork", 0);
  private static final Set<Integer> GIVEN = ConcurrentHashMap.newKeySet();

  private Ports() {}

  /** One more. */
  public static int free() throws IOException {
    IOException last = new IOException("no port tried");
    for (int i = 0; i < 1_000; i++) {
      int port = ThreadLocalRandom.current().nextInt(FROM, TO);
      if (port % FORKS != FORK % FORKS || GIVEN.contains(port)) {
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
