package io.strandline.replay;

import io.strandline.replay.fetch.Window;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Slices of a window, which closes with the read. */
record BatchRead(
    List<ByteBuffer> slices,
    int sizeBytes,
    long nextOffset,
    List<AbortedRange> abortedTransactions,
    @Nullable Window window)
    implements ReplayRead {

  static BatchRead empty(long offset) {
    return new BatchRead(List.of(), 0, offset, List.of(), null);
  }

  @Override
  public boolean wanted() {
    return window != null && window.wanted();
  }

  @Override
  public void close() {
    if (window != null) {
      window.close();
    }
  }
}
