package io.strandline.tests.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.store.Bucket;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;

/** What clients compressed with lz4 comes back compressed with zstd, to clients of all ages. */
class RecompressedRoundTripTest extends HistoryRoundTrip {
  private Bucket bucket;

  @BeforeEach
  void place() {
    bucket = Bucket.of(dir.resolve("objects"));
  }

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
    settings.put("strandline.object.store", bucket.uri());
    settings.put("strandline.tier.recompress", "hist*:3");
    return settings;
  }

  @Override
  Map<String, String> environment() {
    return bucket.environment();
  }

  @Override
  void audit() throws Exception {
    int objects = 0;
    for (String key : bucket.objects().keySet()) {
      if (key.endsWith(".seg")) {
        assertThat(bucket.read(key)[22] & 7).as("codec of the first batch of " + key).isEqualTo(4);
        objects++;
      }
    }
    assertThat(objects).isGreaterThan(4);
  }
}
