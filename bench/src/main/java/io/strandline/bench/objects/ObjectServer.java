package io.strandline.bench.objects;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * The store: one thread a connection, files sent by sendfile, everything that leaves it under one
 * {@link #pace}. Closing it closes all connections.
 */
public final class ObjectServer implements AutoCloseable {
  /** Sent at one turn: a few milliseconds at the rates we pace. */
  private static final long STEP_BYTES = 256 * 1024;

  private final ServerSocketChannel listener;
  private final Set<SocketChannel> connections = ConcurrentHashMap.newKeySet();
  private final ExecutorService threads =
      Executors.newCachedThreadPool(
          task -> {
            Thread thread = new Thread(task, "object-server");
            thread.setDaemon(true);
            return thread;
          });
  private final S3Answers answers;
  private final Pace pace = new Pace();

  private ObjectServer(ServerSocketChannel listener, S3Answers answers) {
    this.listener = listener;
    this.answers = answers;
  }

  /**
   * Serves an empty bucket on loopback.
   *
   * @param dir where the objects go; made if it is not there
   */
  public static ObjectServer start(Path dir) throws IOException {
    Files.createDirectories(dir);
    ServerSocketChannel listener = ServerSocketChannel.open();
    listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    ObjectServer server = new ObjectServer(listener, new S3Answers(new Bucket(dir)));
    server.threads.execute(server::accept);
    return server;
  }

  /** The store as Strandline's configuration names it. */
  public String uri() throws IOException {
    int port = ((InetSocketAddress) listener.getLocalAddress()).getPort();
    return "s3://bench/tier?region=us-east-1&checksum=none&endpoint=http://127.0.0.1:" + port;
  }

  /** Sets how many bytes of bodies may leave in a second, all connections together. */
  public void pace(double bytesPerSecond) {
    pace.set(bytesPerSecond);
  }

  /** Bytes of bodies that left so far. */
  public long sentBytes() {
    return pace.sent();
  }

  private void accept() {
    try {
      while (true) {
        SocketChannel connection = listener.accept();
        connection.setOption(StandardSocketOptions.TCP_NODELAY, true);
        connections.add(connection);
        threads.execute(() -> serve(connection));
      }
    } catch (IOException closed) {
      // The listener was closed: nothing more is served.
    }
  }

  private void serve(SocketChannel connection) {
    try (connection) {
      InputStream in = new BufferedInputStream(Channels.newInputStream(connection), 1 << 16);
      OutputStream out = Channels.newOutputStream(connection);
      for (Optional<HttpRequest> request = HttpRequest.read(in, out);
          request.isPresent();
          request = HttpRequest.read(in, out)) {
        send(answers.answer(request.get()), request.get().method().equals("HEAD"), connection);
      }
    } catch (IOException | UncheckedIOException gone) {
      // The client closed the connection or gave up on an answer.
    } finally {
      connections.remove(connection);
    }
  }

  private void send(HttpAnswer answer, boolean ofHead, SocketChannel connection)
      throws IOException {
    write(connection, answer.head(ofHead));
    if (ofHead) {
      return;
    }
    write(connection, answer.body().duplicate());
    if (answer.slice().isPresent()) {
      send(answer.slice().get(), connection);
    }
  }

  private void send(HttpAnswer.Slice slice, SocketChannel connection) throws IOException {
    try (FileChannel file = FileChannel.open(slice.file(), StandardOpenOption.READ)) {
      long end = slice.positionBytes() + slice.lengthBytes();
      for (long at = slice.positionBytes(); at < end; ) {
        long step = Math.min(STEP_BYTES, end - at);
        pace.await(step);
        for (long left = step; left > 0; ) {
          long moved = file.transferTo(at, left, connection);
          at += moved;
          left -= moved;
        }
      }
    }
  }

  private static void write(SocketChannel connection, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      connection.write(bytes);
    }
  }

  @Override
  public void close() throws IOException {
    listener.close();
    for (SocketChannel connection : connections) {
      connection.close();
    }
    threads.shutdownNow();
  }
}
