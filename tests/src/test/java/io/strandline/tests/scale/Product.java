package io.strandline.tests.scale;

import java.nio.file.Path;
import java.util.Map;

/** Whose nodes. */
enum Product {
  STRANDLINE("io.strandline.broker.Main") {
    @Override
    Map<String, String> own(Path home) {
      return Map.of("strandline.object.store", "file:" + home.resolve("objects"));
    }
  },
  KAFKA("kafka.Kafka") {
    @Override
    Map<String, String> own(Path home) {
      return Map.of();
    }
  };

  private final String main;

  Product(String main) {
    this.main = main;
  }

  String main() {
    return main;
  }

  /** What only this one's nodes are set to. */
  abstract Map<String, String> own(Path home);
}
