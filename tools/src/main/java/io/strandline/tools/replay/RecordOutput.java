package io.strandline.tools.replay;

import io.strandline.replay.job.RecordSink;
import java.io.Closeable;
import java.io.IOException;
import java.util.Map;

/** A sink that can say what of it is safe. Threads: any. */
public interface RecordOutput extends RecordSink, Closeable {
  /**
   * Makes safe what was taken so far.
   *
   * @return by partition, how far
   */
  Map<Integer, Mark> flush() throws IOException;

  /**
   * @param nextOffset everything below it is safe
   * @param bytes length of the partition's file then; 0 where there is none
   */
  record Mark(long nextOffset, long bytes) {}
}
