package io.strandline.tests.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;

/** What clients compressed with lz4 comes back compressed with zstd, to clients of all ages. */
class RecompressedRoundTripTest extends HistoryRoundTrip {
  @Override
  Scale scale() {
    return Scale.of(80L << 20, 1 << 20, 1);
  }

  @Override
  String compression() {
    return "lz4";
  }

  @Override
  Map<String, String> store() {
    Map<String, String> settings = new HashMap<>();
    settings.put("strandline.object.store", "file:" + dir.resolve("objects"));
    settings.put("strandline.tier.recompress", "hist*:3");
    return settings;
  }

  @Override
  void audit() throws IOException {
    int objects = 0;
    try (Stream<Path> files = Files.walk(dir.resolve("objects"))) {
      for (Path file : files.filter(f -> f.toString().endsWith(".seg")).toList()) {
        byte[] head = new byte[23];
        try (var in = Files.newInputStream(file)) {
          assertThat(in.read(head)).isEqualTo(head.length);
        }
        assertThat(head[22] & 7).as("codec of the first batch of " + file).isEqualTo(4);
        objects++;
      }
    }
    assertThat(objects).isGreaterThan(4);
  }
}
