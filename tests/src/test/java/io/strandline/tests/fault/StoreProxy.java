package io.strandline.tests.fault;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;

/** Stands between a broker and its store, byte for byte, and may do it badly. */
final class StoreProxy implements AutoCloseable {
  /** How a connection is served. */
  enum Mode {
    PASS,
    /** Closed at once. */
    REFUSE,
    /** Answered 503 SlowDown, then closed. */
    SLOW_DOWN,
    /** Cut after some bytes of the answers, so that bodies end early. */
    CUT,
    /** Bytes trickle. */
    SLOW,
    /** Taken, and never answered. */
    HOLD,
    /** Each connection as chance has it. */
    ANY
  }

  private static final byte[] BUSY =
      ("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>SlowDown</Code>"
              + "<Message>Please reduce your request rate.</Message></Error>")
          .getBytes(StandardCharsets.UTF_8);

  private final ServerSocket server;
  private final URI target;
  private final Random random;
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();
  private volatile Mode mode = Mode.PASS;

  StoreProxy(String targetEndpoint, long seed) throws IOException {
    this.target = URI.create(targetEndpoint);
    this.random = new Random(seed);
    this.server = new ServerSocket(0, 256, InetAddress.getLoopbackAddress());
    thread("proxy-accept", this::accept);
  }

  String endpoint() {
    return "http://127.0.0.1:" + server.getLocalPort();
  }

  /** From now on; connections that are open are closed, so that it takes effect. */
  void serve(Mode next) {
    mode = next;
    open.forEach(StoreProxy::close);
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        Socket client = server.accept();
        Mode how = mode == Mode.ANY ? any() : mode;
        thread("proxy", () -> serve(client, how));
      } catch (IOException e) {
        return; // closed
      }
    }
  }

  private synchronized Mode any() {
    Mode[] some = {Mode.PASS, Mode.PASS, Mode.PASS, Mode.REFUSE, Mode.SLOW_DOWN, Mode.CUT};
    return some[random.nextInt(some.length)];
  }

  private synchronized long chance(int bound) {
    return random.nextInt(bound);
  }

  private void serve(Socket client, Mode how) {
    open.add(client);
    try (client) {
      switch (how) {
        case REFUSE -> {}
        case SLOW_DOWN -> busy(client);
        case HOLD -> hold(client);
        default -> forward(client, how);
      }
    } catch (IOException e) {
      // As connections end.
    } finally {
      open.remove(client);
    }
  }

  /** Takes the head of a request, however long its body, and answers. */
  private static void busy(Socket client) throws IOException {
    byte[] piece = new byte[1 << 16];
    if (client.getInputStream().read(piece) > 0) {
      OutputStream out = client.getOutputStream();
      out.write(
          ("HTTP/1.1 503 Slow Down\r\nContent-Type: application/xml\r\nContent-Length: "
                  + BUSY.length
                  + "\r\nConnection: close\r\n\r\n")
              .getBytes(StandardCharsets.US_ASCII));
      out.write(BUSY);
      out.flush();
    }
  }

  /** Until it gives up. */
  private static void hold(Socket client) throws IOException {
    client.getInputStream().transferTo(OutputStream.nullOutputStream());
  }

  private void forward(Socket client, Mode how) throws IOException {
    long answerBytes = how == Mode.CUT ? 200 + chance(300_000) : Long.MAX_VALUE;
    try (Socket store = new Socket(target.getHost(), target.getPort())) {
      open.add(store);
      Thread up = thread("proxy-up", () -> copy(client, store, Long.MAX_VALUE, how == Mode.SLOW));
      copy(store, client, answerBytes, how == Mode.SLOW);
      open.remove(store);
      up.interrupt();
    }
  }

  /** Closes both ends when it ends. */
  private static void copy(Socket from, Socket to, long limitBytes, boolean slowly) {
    byte[] piece = new byte[1 << 16];
    long left = limitBytes;
    try (from;
        to) {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      for (int n = in.read(piece); n >= 0 && left > 0; n = in.read(piece)) {
        out.write(piece, 0, (int) Math.min(n, left));
        left -= n;
        if (slowly) {
          LockSupport.parkNanos(20_000_000L);
        }
      }
    } catch (IOException e) {
      // As connections end.
    }
  }

  private static Thread thread(String name, Runnable work) {
    Thread thread = new Thread(work, name);
    thread.setDaemon(true);
    thread.start();
    return thread;
  }

  private static void close(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      // It is gone either way.
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
    open.forEach(StoreProxy::close);
  }
}
