package io.strandline.bench.objects;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What a request is answered with.
 *
 * @param slice of a file, sent after {@code body}, which is empty then
 */
record HttpAnswer(int status, Map<String, String> headers, ByteBuffer body, Optional<Slice> slice) {
  private static final ByteBuffer NOTHING = ByteBuffer.allocate(0).asReadOnlyBuffer();

  /** Part of a file. */
  record Slice(Path file, long positionBytes, long lengthBytes) {}

  static HttpAnswer empty(int status) {
    return new HttpAnswer(status, Map.of(), NOTHING, Optional.empty());
  }

  static HttpAnswer xml(int status, String text) {
    return new HttpAnswer(
        status,
        Map.of("Content-Type", "application/xml"),
        StandardCharsets.UTF_8.encode("<?xml version=\"1.0\" encoding=\"UTF-8\"?>" + text),
        Optional.empty());
  }

  static HttpAnswer error(int status, String code) {
    return xml(status, "<Error><Code>" + code + "</Code><Message>" + code + "</Message></Error>");
  }

  static HttpAnswer slice(int status, Slice slice) {
    return new HttpAnswer(status, Map.of(), NOTHING, Optional.of(slice));
  }

  HttpAnswer with(String header, String value) {
    Map<String, String> more = new LinkedHashMap<>(headers);
    more.put(header, value);
    return new HttpAnswer(status, more, body, slice);
  }

  long lengthBytes() {
    return slice.map(Slice::lengthBytes).orElse((long) body.remaining());
  }

  /**
   * The head as it goes over the wire.
   *
   * @param ofHead whether a HEAD asked, whose answer may name a length of its own
   */
  ByteBuffer head(boolean ofHead) {
    StringBuilder head = new StringBuilder("HTTP/1.1 ").append(status).append(" -\r\n");
    headers.forEach((k, v) -> head.append(k).append(": ").append(v).append("\r\n"));
    if (!ofHead || !headers.containsKey("Content-Length")) {
      head.append("Content-Length: ").append(lengthBytes()).append("\r\n");
    }
    return StandardCharsets.US_ASCII.encode(head.append("\r\n").toString());
  }
}
