package io.strandline.tests.mount;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Stands between clients and a store over HTTP, and writes down each request's first line. */
final class RecordingProxy implements AutoCloseable {
  private static final Pattern REQUEST =
      Pattern.compile("(?m)^([A-Z]+ [^ \\r\\n]+) HTTP/1\\.1\\r?$");

  final List<String> requests = new CopyOnWriteArrayList<>();
  private final ServerSocket server;
  private final URI target;
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();

  RecordingProxy(String targetEndpoint) throws IOException {
    this.target = URI.create(targetEndpoint);
    this.server = new ServerSocket(0, 256, InetAddress.getLoopbackAddress());
    thread(this::accept);
  }

  String endpoint() {
    return "http://127.0.0.1:" + server.getLocalPort();
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        Socket client = server.accept();
        Socket store = new Socket(target.getHost(), target.getPort());
        open.add(client);
        open.add(store);
        thread(() -> copy(client, store, true));
        thread(() -> copy(store, client, false));
      } catch (IOException e) {
        return; // closed
      }
    }
  }

  private void copy(Socket from, Socket to, boolean record) {
    byte[] piece = new byte[1 << 16];
    try (from;
        to) {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      for (int n = in.read(piece); n >= 0; n = in.read(piece)) {
        if (record) {
          Matcher lines = REQUEST.matcher(new String(piece, 0, n, StandardCharsets.ISO_8859_1));
          while (lines.find()) {
            requests.add(lines.group(1));
          }
        }
        out.write(piece, 0, n);
      }
    } catch (IOException e) {
      // As connections end.
    }
  }

  private static void thread(Runnable work) {
    Thread thread = new Thread(work, "recording-proxy");
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
