package io.strandline.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MainTest {
  @Test
  void theFileComesByPlaceOrByOption(@TempDir Path dir) throws Exception {
    Path file = dir.resolve("server.properties");
    Files.writeString(file, "node.id=7\n");
    assertThat(Main.configure(List.of(file.toString()), Map.of()).kafka())
        .containsEntry("node.id", "7");
    assertThat(
            Main.configure(List.of("--set", "log.dirs=a=b", "--config", file.toString()), Map.of())
                .kafka())
        .containsEntry("node.id", "7")
        .containsEntry("log.dirs", "a=b");
  }

  @Test
  void wrongUsageIsRefused() {
    for (List<String> wrong :
        List.of(
            List.of("--set"),
            List.of("--set", "nothing"),
            List.of("--nonesuch"),
            List.of("a", "b"))) {
      assertThatThrownBy(() -> Main.configure(wrong, Map.of()))
          .as("%s", wrong)
          .isInstanceOf(ConfigError.class);
    }
  }
}
