package io.strandline.bench.objects;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URLDecoder;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * A request of HTTP/1.1 with a length (RFC 9112), its body taken out of S3's signed chunks.
 *
 * @param path decoded, without the query
 * @param headers by names in lower case
 */
record HttpRequest(
    String method,
    String path,
    Map<String, String> query,
    Map<String, String> headers,
    ByteBuffer body) {

  /**
   * Reads the next request of a connection.
   *
   * @return none if the other side has closed it
   */
  static Optional<HttpRequest> read(InputStream in, OutputStream out) throws IOException {
    String first = line(in);
    if (first.isEmpty()) {
      return Optional.empty();
    }
    String[] words = first.split(" ");
    Map<String, String> headers = new HashMap<>();
    for (String line = line(in); !line.isEmpty(); line = line(in)) {
      int colon = line.indexOf(':');
      headers.put(
          line.substring(0, colon).toLowerCase(Locale.ROOT), line.substring(colon + 1).trim());
    }
    if (headers.getOrDefault("expect", "").equalsIgnoreCase("100-continue")) {
      out.write("HTTP/1.1 100 Continue\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
    }
    byte[] body = in.readNBytes(Integer.parseInt(headers.getOrDefault("content-length", "0")));
    if (headers.getOrDefault("x-amz-content-sha256", "").startsWith("STREAMING-")) {
      body = unchunked(body);
    }
    String[] target = words[1].split("\\?", 2);
    Map<String, String> query = target.length > 1 ? query(target[1]) : Map.of();
    return Optional.of(
        new HttpRequest(words[0], decode(target[0]), query, headers, ByteBuffer.wrap(body)));
  }

  Optional<String> header(String name) {
    return Optional.ofNullable(headers.get(name));
  }

  private static Map<String, String> query(String text) {
    Map<String, String> query = new HashMap<>();
    for (String pair : text.split("&")) {
      String[] both = pair.split("=", 2);
      query.put(decode(both[0]), both.length > 1 ? decode(both[1]) : "");
    }
    return query;
  }

  private static String decode(String text) {
    return URLDecoder.decode(text, StandardCharsets.UTF_8);
  }

  /** Up to the line's end, which is taken too; empty as well at the end of the stream. */
  private static String line(InputStream in) throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    for (int c = in.read(); c >= 0 && c != '\n'; c = in.read()) {
      if (c != '\r') {
        line.write(c);
      }
    }
    return line.toString(StandardCharsets.UTF_8);
  }

  /**
   * {@code length;chunk-signature=…\r\n bytes\r\n} until a length of zero; trailers are dropped.
   */
  private static byte[] unchunked(byte[] body) throws IOException {
    ByteArrayOutputStream all = new ByteArrayOutputStream(body.length);
    InputStream in = new ByteArrayInputStream(body);
    while (true) {
      String head = line(in);
      if (head.isEmpty()) {
        throw new EOFException("a chunked body without an end");
      }
      int length = Integer.parseInt(head.split(";", 2)[0].trim(), 16);
      if (length == 0) {
        return all.toByteArray();
      }
      all.write(in.readNBytes(length));
      line(in);
    }
  }
}
