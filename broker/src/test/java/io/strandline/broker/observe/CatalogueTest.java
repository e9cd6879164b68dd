package io.strandline.broker.observe;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class CatalogueTest {
  private static final Path DOCUMENT = Path.of("..", "docs", "metrics.md");

  @Test
  void theDocumentIsWhatTheCatalogueSays() throws Exception {
    String generated = Catalogue.markdown();
    if (Boolean.getBoolean("strandline.docs.write")) {
      Files.writeString(DOCUMENT, generated);
    }
    assertThat(Files.readString(DOCUMENT))
        .as("docs/metrics.md is stale; its first lines say how to write it anew")
        .isEqualTo(generated);
  }

  @Test
  void everyMeterHasASentenceAndIsThereOnce() {
    assertThat(Catalogue.entries()).extracting(Catalogue.Entry::name).doesNotHaveDuplicates();
    Catalogue.entries()
        .forEach(entry -> assertThat(entry.sentence()).as(entry.name()).endsWith("."));
  }
}
