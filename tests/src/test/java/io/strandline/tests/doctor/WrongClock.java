package io.strandline.tests.doctor;

import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/** An admin listener of a node that is not well and whose clock stands in another year. */
final class WrongClock implements AutoCloseable {
  private static final String BODY =
      "{\"status\":\"failing\",\"checks\":{\"disk space\":{\"ok\":false,\"detail\":\"full\"}}}";

  private final ServerSocket server = new ServerSocket(0, 16, InetAddress.getLoopbackAddress());

  WrongClock() throws IOException {
    Thread thread = new Thread(this::serve, "wrong-clock");
    thread.setDaemon(true);
    thread.start();
  }

  String address() {
    return "127.0.0.1:" + server.getLocalPort();
  }

  private void serve() {
    byte[] piece = new byte[4096];
    while (!server.isClosed()) {
      try (Socket socket = server.accept()) {
        if (socket.getInputStream().read(piece) > 0) {
          OutputStream out = socket.getOutputStream();
          out.write(
              ("HTTP/1.1 503 Service Unavailable\r\nDate: Thu, 01 Jan 2015 00:00:00 GMT\r\n"
                      + "Connection: close\r\nContent-Length: "
                      + BODY.length()
                      + "\r\n\r\n"
                      + BODY)
                  .getBytes(StandardCharsets.US_ASCII));
          out.flush();
        }
      } catch (IOException e) {
        continue; // As connections end.
      }
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
  }
}
