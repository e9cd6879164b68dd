package io.strandline.tiering.store;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * The bytes of an object to be: an ordered list of parts that can be read again, as a retry must.
 *
 * <p>A file part names bytes that do not change and stay until the put has completed; whoever made
 * the payload sees to that. A buffer part is never modified by the store. What is made while it is
 * read is the same each time.
 */
public record Payload(List<Part> parts) {
  private static final int PIECE_BYTES = 128 << 10;

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

  /** Bytes that are read as they are sent. */
  public sealed interface Streamed extends Part {
    /** Opens them at their beginning; there may be more behind their end. Blocks. */
    ReadableByteChannel open() throws IOException;
  }

  /** Bytes of a file, from {@code positionBytes}. */
  public record FileRange(Path file, long positionBytes, long lengthBytes) implements Streamed {
    @Override
    public ReadableByteChannel open() throws IOException {
      return FileChannel.open(file, StandardOpenOption.READ).position(positionBytes);
    }
  }

  /** Bytes that a maker makes, from {@code positionBytes} of what it could. */
  public record Made(Maker maker, long positionBytes, long lengthBytes) implements Streamed {
    @Override
    public ReadableByteChannel open() throws IOException {
      return maker.open(positionBytes);
    }
  }

  /** Makes bytes, the same each time. Threads: any. */
  @FunctionalInterface
  public interface Maker {
    /** Opens what is made from a position on. Blocks, as reading does. */
    ReadableByteChannel open(long positionBytes) throws IOException;
  }

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
    if (part instanceof Made made) {
      return new Made(made.maker(), made.positionBytes() + skipBytes, takeBytes);
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
      } else if (part instanceof Made made) {
        transferMade(made, out);
      }
    }
  }

  /** All its bytes in order, as one channel. Blocks. */
  public ReadableByteChannel open() {
    return new PayloadChannel(parts);
  }

  private static void transferMade(Made made, WritableByteChannel out) throws IOException {
    ByteBuffer piece = ByteBuffer.allocate(PIECE_BYTES);
    try (ReadableByteChannel in = made.open()) {
      for (long left = made.lengthBytes(); left > 0; left -= piece.limit()) {
        piece.clear().limit((int) Math.min(PIECE_BYTES, left));
        readFully(in, piece);
        writeFully(out, piece.flip());
      }
    }
  }

  /**
   * Fills the buffer.
   *
   * @throws EOFException if the channel ends before
   */
  public static void readFully(ReadableByteChannel in, ByteBuffer into) throws IOException {
    while (into.hasRemaining()) {
      if (in.read(into) < 0) {
        throw new EOFException("a payload is shorter than it was said to be");
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
