package io.strandline.bench.contender;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Collectors;

/** A {@code server.properties}. */
final class ConfigFile {
  private ConfigFile() {}

  static Path write(Path dir, Map<String, String> config) throws IOException {
    return Files.writeString(
        dir.resolve("server.properties"),
        config.entrySet().stream()
            .map(e -> e.getKey() + "=" + e.getValue() + "\n")
            .collect(Collectors.joining()));
  }
}
