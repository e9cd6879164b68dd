package io.strandline.tests.observe;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What keeps a node running looks here. */
@Timeout(120)
class HealthTest {
  @Test
  void aliveAndServing(@TempDir Path dir) throws Exception {
    try (Watched node = new Watched(dir, Map.of())) {
      assertThat(node.get("/healthz").statusCode()).isEqualTo(200);
      assertThat(node.get("/readyz").statusCode()).isEqualTo(200);
      assertThat(node.get("/readyz").body()).contains("\"unfenced\":{\"ok\":true");
      assertThat(node.get("/metrics").statusCode()).isEqualTo(200);
      assertThat(node.get("/nothing").statusCode()).isEqualTo(404);
      for (String family : new String[] {"jvm_memory_used_bytes", "process_cpu_usage"}) {
        Watched.await(family, () -> node.sum(family).isPresent());
      }
    }
  }
}
