package io.strandline.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FiguresTest {
  @TempDir Path dir;

  @Test
  void aTableShowsMediansSpreadAndRatio() throws IOException {
    Figures figures = new Figures(Optional.empty());
    for (double value : new double[] {3, 1, 2}) {
      figures.note("speed", "us", value);
    }
    figures.note("speed", "them", 4);
    figures.note("speed", "them", 12);
    figures.note("replay", "us", 30);
    figures.note("replay", "bare", 15);
    figures.note("alone", "us", 250);

    assertThat(figures.table("us", "them").lines())
        .containsExactly(
            "| figure | us | them | ratio |",
            "|---|---|---|---|",
            "| speed | 2.00 (1.00–3.00) | 8.00 (4.00–12.0) | 0.25 |",
            "| replay | 30.0 | bare: 15.0 | 2.00 |",
            "| alone | 250 | – | – |");
  }

  @Test
  void aFileGrowsFromSeveralInvocations() throws IOException {
    Optional<Path> file = Optional.of(dir.resolve("results"));
    new Figures(file).note("speed", "us", 1);
    new Figures(file).note("speed", "us", 2);

    assertThat(new Figures(file).table("us", "them")).contains("| speed | 1.50 (1.00–2.00) |");
  }
}
