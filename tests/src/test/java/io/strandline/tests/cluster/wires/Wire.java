package io.strandline.tests.cluster.wires;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Where one node finds one listener of another: byte for byte, through a gate for each direction.
 * What a closed gate keeps is delivered when it opens, as TCP does when packets get through again.
 */
final class Wire implements AutoCloseable {
  private static final int PIECE_BYTES = 1 << 16;

  private final ServerSocket server;
  private final int port;
  private final Gate there;
  private final Gate back;
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();
  private volatile boolean refusing;

  /**
   * @param address that the one node has for the other
   * @param port of the other, on the loopback address, and of this
   */
  Wire(String address, int port, Gate there, Gate back) throws IOException {
    this.port = port;
    this.there = there;
    this.back = back;
    this.server = new ServerSocket();
    server.setReuseAddress(true);
    server.bind(new InetSocketAddress(address, port), 256);
    thread(this::accept);
  }

  /** Connections are reset, and new ones too. */
  void refuse() {
    refusing = true;
    open.forEach(Wire::reset);
  }

  void serve() {
    refusing = false;
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        Socket client = server.accept();
        if (refusing) {
          reset(client);
        } else {
          thread(() -> connect(client));
        }
      } catch (IOException e) {
        return; // closed
      }
    }
  }

  private void connect(Socket client) {
    open.add(client);
    try {
      there.pass();
      Socket target = new Socket(InetAddress.getLoopbackAddress(), port);
      client.setTcpNoDelay(true);
      target.setTcpNoDelay(true);
      open.add(target);
      thread(() -> copy(client, target, there));
      copy(target, client, back);
    } catch (IOException | InterruptedException e) {
      open.remove(client);
      reset(client); // nobody is there
    }
  }

  /** Closes both ends when it ends. */
  private void copy(Socket from, Socket to, Gate gate) {
    byte[] piece = new byte[PIECE_BYTES];
    try (from;
        to) {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      for (int n = in.read(piece); n >= 0; n = in.read(piece)) {
        gate.pass();
        out.write(piece, 0, n);
      }
      gate.pass(); // the end is heard of no sooner than a byte would be
    } catch (IOException | InterruptedException e) {
      // As connections end.
    } finally {
      open.remove(from);
      open.remove(to);
    }
  }

  private static void reset(Socket socket) {
    try {
      socket.setSoLinger(true, 0);
      socket.close();
    } catch (IOException e) {
      // It is gone either way.
    }
  }

  private static void thread(Runnable work) {
    Thread thread = new Thread(work, "wire");
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public void close() throws IOException {
    server.close();
    open.forEach(Wire::reset);
  }
}
