package io.strandline.bench.load;

import java.io.IOException;

/** A workload on one broker. Closing it takes its data from the broker. */
public interface Load extends AutoCloseable {
  /** Does what a run needs and what is not to be measured, as creating a topic. */
  void prepare(Size size) throws Exception;

  /** The work itself. */
  Outcome run() throws Exception;

  @Override
  void close() throws IOException;

  /**
   * How long a run is: what comes first ends it.
   *
   * @param bytes of values before compression
   * @param seconds of a broker that is too slow for the bytes
   */
  record Size(long bytes, double seconds) {}
}
