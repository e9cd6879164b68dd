package io.strandline.tiering.store;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;

/**
 * The bytes of an object to be: an ordered list of parts that can be read again, as a retry must.
 *
 * <p>A file part names bytes that do not change and stay until the put has completed; whoever made
 * the payload sees to that. A buffer part is never modified by the store.
 */
public record Payload(List<Part> parts) {
  /** One run of bytes. */
  public sealed interface Part {
    long lengthBytes();
  }

  /** Bytes in memory, from position to limit. */
  public record Bytes(ByteBuffer buffer) implements Part {
    @Override
    public long lengthBytes() {
      return buffer.remaining();
    }
  }

  /** Bytes of a file, from {@code positionBytes}. */
  public record FileRange(Path file, long positionBytes, long lengthBytes) implements Part {}

  public Payload {
    parts = List.copyOf(parts);
  }

  public static Payload of(ByteBuffer buffer) {
    return new Payload(List.of(new Bytes(buffer)));
  }

  public long lengthBytes() {
    return parts.stream().mapToLong(Part::lengthBytes).sum();
  }
}
