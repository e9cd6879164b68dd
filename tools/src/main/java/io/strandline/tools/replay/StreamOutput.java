package io.strandline.tools.replay;

import io.strandline.replay.job.HistoryRecord;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * All partitions into one stream, say standard output; those of a batch stay together. A stream
 * that failed once has had a part of something: nothing more is safe there.
 */
public final class StreamOutput implements RecordOutput {
  private final OutputStream out;
  private final RecordFormat format;
  private final Map<Integer, Mark> marks = new TreeMap<>();
  private @Nullable IOException failed;

  /**
   * @param out that tells when it fails: no {@link java.io.PrintStream}
   */
  public StreamOutput(OutputStream out, RecordFormat format) {
    this.out = new BufferedOutputStream(out, 1 << 16);
    this.format = format;
  }

  @Override
  public synchronized void accept(int partition, List<HistoryRecord> records) throws IOException {
    throwFailure();
    try {
      for (HistoryRecord record : records) {
        format.write(record, out);
      }
    } catch (IOException e) {
      failed = e;
      throw e;
    }
    marks.put(partition, new Mark(records.get(records.size() - 1).offset() + 1, 0));
  }

  @Override
  public synchronized Map<Integer, Mark> flush() throws IOException {
    throwFailure();
    try {
      out.flush();
    } catch (IOException e) {
      failed = e;
      throw e;
    }
    return Map.copyOf(marks);
  }

  @Override
  public synchronized void close() throws IOException {
    if (failed == null) {
      out.flush();
    }
  }

  private void throwFailure() throws IOException {
    if (failed != null) {
      throw failed;
    }
  }
}
