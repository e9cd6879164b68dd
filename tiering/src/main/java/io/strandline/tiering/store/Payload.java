package io.strandline.tiering.store;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
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

  /** The payload of {@code lengthBytes} bytes from {@code positionBytes}; nothing is copied. */
  public Payload slice(long positionBytes, long lengthBytes) {
    List<Part> slices = new ArrayList<>();
    long skip = positionBytes;
    long left = lengthBytes;
    for (Part part : parts) {
      long take = Math.min(left, part.lengthBytes() - skip);
      if (take > 0) {
        slices.add(slice(part, skip, take));
        left -= take;
        skip = 0;
      } else if (left > 0) {
        skip -= part.lengthBytes();
      }
    }
    if (left > 0) {
      throw new IllegalArgumentException("no " + lengthBytes + " bytes from " + positionBytes);
    }
    return new Payload(slices);
  }

  private static Part slice(Part part, long skipBytes, long takeBytes) {
    if (part instanceof FileRange range) {
      return new FileRange(range.file(), range.positionBytes() + skipBytes, takeBytes);
    }
    ByteBuffer buffer = ((Bytes) part).buffer();
    return new Bytes(buffer.slice(buffer.position() + (int) skipBytes, (int) takeBytes));
  }

  /**
   * Writes all parts to {@code out}, which must take all it is given. Blocks.
   *
   * @throws java.io.EOFException if a file has become shorter than its range
   */
  public void transferTo(WritableByteChannel out) throws IOException {
    for (Part part : parts) {
      if (part instanceof Bytes bytes) {
        writeFully(out, bytes.buffer().duplicate());
      } else if (part instanceof FileRange range) {
        try (FileChannel file = FileChannel.open(range.file(), StandardOpenOption.READ)) {
          transferRange(file, range, out);
        }
      }
    }
  }

  private static void writeFully(WritableByteChannel out, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      out.write(bytes);
    }
  }

  private static void transferRange(FileChannel file, FileRange range, WritableByteChannel out)
      throws IOException {
    long done = 0;
    while (done < range.lengthBytes()) {
      long moved = file.transferTo(range.positionBytes() + done, range.lengthBytes() - done, out);
      if (moved <= 0) {
        throw new EOFException(range.file() + " ends before " + range);
      }
      done += moved;
    }
  }

  public long lengthBytes() {
    return parts.stream().mapToLong(Part::lengthBytes).sum();
  }
}
