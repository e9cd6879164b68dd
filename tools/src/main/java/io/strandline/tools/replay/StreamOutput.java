package io.strandline.tools.replay;

import io.strandline.replay.job.HistoryRecord;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** All partitions into one stream, say standard output; those of a batch stay together. */
public final class StreamOutput implements RecordOutput {
  private final OutputStream out;
  private final RecordFormat format;
  private final Map<Integer, Mark> marks = new TreeMap<>();

  public StreamOutput(OutputStream out, RecordFormat format) {
    this.out = new BufferedOutputStream(out, 1 << 16);
    this.format = format;
  }

  @Override
  public synchronized void accept(int partition, List<HistoryRecord> records) throws IOException {
    for (HistoryRecord record : records) {
      format.write(record, out);
    }
    marks.put(partition, new Mark(records.get(records.size() - 1).offset() + 1, 0));
  }

  @Override
  public synchronized Map<Integer, Mark> flush() throws IOException {
    out.flush();
    return Map.copyOf(marks);
  }

  @Override
  public synchronized void close() throws IOException {
    out.flush();
  }
}
