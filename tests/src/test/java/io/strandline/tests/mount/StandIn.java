package io.strandline.tests.mount;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Listens in the place of a server, and opens a connection to it for each that comes. */
abstract class StandIn implements AutoCloseable {
  private static final int BACKLOG = 256;

  private final ServerSocket server;
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();

  StandIn() throws IOException {
    this.server = new ServerSocket(0, BACKLOG, InetAddress.getLoopbackAddress());
  }

  /** {@code host:port} where it listens. */
  String address() {
    return "127.0.0.1:" + server.getLocalPort();
  }

  /** Begins to take connections, which wait until then. */
  void serve(String targetHost, int targetPort) {
    thread(
        () -> {
          while (!server.isClosed()) {
            try {
              Socket client = server.accept();
              Socket target = new Socket(targetHost, targetPort);
              open.add(client);
              open.add(target);
              connected(client, target);
            } catch (IOException e) {
              return; // closed
            }
          }
        });
  }

  /** Starts what passes between them, on threads of its own. */
  abstract void connected(Socket client, Socket target);

  void thread(Runnable work) {
    Thread thread = new Thread(work, getClass().getSimpleName());
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public void close() throws IOException {
    server.close();
    for (Socket socket : open) {
      socket.close();
    }
  }
}
