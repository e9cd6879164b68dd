package io.strandline.tiering.store.s3;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Answers requests byte for byte as it is told, which need not be HTTP. */
public final class RawServer implements AutoCloseable {
  /** What one request gets. */
  @FunctionalInterface
  public interface Answer {
    /**
     * @param request its head, as it came
     * @return whether the connection stays open
     */
    boolean give(String request, OutputStream out, Socket connection) throws Exception;
  }

  private final ServerSocket server;
  private final Answer answer;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();
  private final AtomicInteger accepted = new AtomicInteger();

  public RawServer(ServerSocket server, Answer answer) {
    this.server = server;
    this.answer = answer;
    threads.execute(this::accept);
  }

  public RawServer(Answer answer) throws IOException {
    this(new ServerSocket(0, 64, InetAddress.getLoopbackAddress()), answer);
  }

  /** Gives the same bytes to all requests. */
  static Answer bytes(boolean stays, byte[]... parts) {
    return (request, out, connection) -> {
      for (byte[] part : parts) {
        out.write(part);
      }
      out.flush();
      return stays;
    };
  }

  static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  public int port() {
    return server.getLocalPort();
  }

  /** Connections that were ever made. */
  public int accepted() {
    return accepted.get();
  }

  /** Connections that neither side has closed, as far as we have seen. */
  public int open() {
    return open.size();
  }

  private void accept() {
    try {
      while (true) {
        Socket connection = server.accept();
        accepted.incrementAndGet();
        open.add(connection);
        threads.execute(() -> serve(connection));
      }
    } catch (IOException closed) {
      // Nothing more is served.
    }
  }

  private void serve(Socket connection) {
    try (connection) {
      InputStream in = new BufferedInputStream(connection.getInputStream());
      OutputStream out = connection.getOutputStream();
      for (String head = head(in); !head.isEmpty(); head = head(in)) {
        if (!answer.give(head, out, connection)) {
          return;
        }
      }
    } catch (Exception gone) {
      // The client went away, which some tests want.
    } finally {
      open.remove(connection);
    }
  }

  private static String head(InputStream in) throws IOException {
    ByteArrayOutputStream head = new ByteArrayOutputStream();
    for (int c = in.read(); c >= 0; c = in.read()) {
      head.write(c);
      String text = head.toString(StandardCharsets.US_ASCII);
      if (text.endsWith("\r\n\r\n")) {
        return text;
      }
    }
    return "";
  }

  @Override
  public void close() throws Exception {
    server.close();
    for (Socket connection : open) {
      connection.close();
    }
    threads.shutdownNow();
    threads.awaitTermination(10, TimeUnit.SECONDS);
  }
}
