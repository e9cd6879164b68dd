package io.strandline.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 2, unit = TimeUnit.MINUTES)
class RehearsingTest {
  @TempDir Path dir;

  @Test
  void aNodeServesATransactionAndGroupsAndEnds() throws Exception {
    assertThat(Rehearsing.run(List.of(dir.toString()))).isZero();
    assertThat(bytes("__transaction_state-0")).as("of the transaction").isPositive();
    assertThat(bytes("__consumer_offsets-0")).as("of the groups").isPositive();
    assertThat(Rehearsing.run(List.of(dir.toString()))).as("in the same place again").isZero();
  }

  @Test
  void itWantsADirectory() {
    for (List<String> args : List.of(List.<String>of(), List.of("--help"), List.of("a", "b"))) {
      assertThatThrownBy(() -> Rehearsing.run(args))
          .isInstanceOf(ConfigError.class)
          .hasMessageContaining("strandline rehearse DIR");
    }
  }

  private long bytes(String partition) throws IOException {
    try (Stream<Path> files = Files.list(dir.resolve(partition))) {
      return files
          .filter(file -> file.toString().endsWith(".log"))
          .mapToLong(file -> file.toFile().length())
          .sum();
    }
  }
}
