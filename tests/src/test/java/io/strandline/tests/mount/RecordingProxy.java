package io.strandline.tests.mount;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Stands between clients and a store over HTTP, and writes down each request's first line. */
final class RecordingProxy extends StandIn {
  private static final Pattern REQUEST =
      Pattern.compile("(?m)^([A-Z]+ [^ \\r\\n]+) HTTP/1\\.1\\r?$");

  final List<String> requests = new CopyOnWriteArrayList<>();

  RecordingProxy(String targetEndpoint) throws IOException {
    URI target = URI.create(targetEndpoint);
    serve(target.getHost(), target.getPort());
  }

  String endpoint() {
    return "http://" + address();
  }

  @Override
  void connected(Socket client, Socket store) {
    thread(() -> copy(client, store, true));
    thread(() -> copy(store, client, false));
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
}
