package io.strandline.broker.log.clean;

import io.strandline.broker.log.CleanableLog;
import io.strandline.broker.log.segment.LogSegment;
import io.strandline.tiering.compact.BatchSource;
import io.strandline.tiering.segment.AbortedTransaction;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.util.List;

/** A segment under a hold, as the compaction core reads it. */
final class Segments {
  private Segments() {}

  /** What is done with a source while it is held. */
  interface Use<T> {
    T apply(BatchSource source) throws IOException;
  }

  /** A cut or retention took the segment away; the round is void. */
  static final class GoneException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    GoneException(LogSegment segment) {
      super("segment was deleted while it was to be compacted: " + segment);
    }
  }

  static <T> T with(CleanableLog files, LogSegment segment, Use<T> use) throws IOException {
    if (!segment.retain()) {
      throw new GoneException(segment);
    }
    try {
      return use.apply(
          new Source(segment.channel(), segment.end().sizeBytes(), files.abortedIn(segment)));
    } catch (NoSuchFileException e) {
      if (files.holds(segment)) {
        throw e;
      }
      throw new GoneException(segment);
    } finally {
      segment.release();
    }
  }

  private record Source(
      FileChannel channel, long sizeBytes, List<AbortedTransaction> abortedTransactions)
      implements BatchSource {
    @Override
    public void read(ByteBuffer into, long positionBytes) throws IOException {
      int room = (int) Math.min(into.remaining(), Math.max(0, sizeBytes - positionBytes));
      int limit = into.limit();
      into.limit(into.position() + room);
      long position = positionBytes;
      while (into.hasRemaining()) {
        int read = channel.read(into, position);
        if (read < 0) {
          break;
        }
        position += read;
      }
      into.limit(limit);
    }
  }
}
