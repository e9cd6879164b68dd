package io.strandline.broker;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class ConfigReferenceTest {
  private static final Path DOCUMENT = Path.of("..", "docs", "configuration.md");

  @Test
  void theReferenceInTheDocsIsWhatTheCodeSays() throws Exception {
    String generated = ConfigReference.markdown();
    if (Boolean.getBoolean("strandline.docs.write")) {
      Files.writeString(DOCUMENT, generated);
    }
    assertThat(Files.readString(DOCUMENT))
        .as("docs/configuration.md is stale; its first lines say how to write it anew")
        .isEqualTo(generated);
  }

  @Test
  void everyKeyOfOursIsExplained() {
    ConfigKeys.TABLE
        .configKeys()
        .values()
        .forEach(key -> assertThat(key.documentation).as(key.name).isNotBlank().endsWith("."));
  }
}
