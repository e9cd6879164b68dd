package io.strandline.tests.process;

import java.util.Map;

/** With the embedded default: an object store in a directory. */
class FileStoreRoundTripTest extends HistoryRoundTrip {
  @Override
  Map<String, String> store() {
    return Map.of("strandline.object.store", "file:" + dir.resolve("objects"));
  }
}
