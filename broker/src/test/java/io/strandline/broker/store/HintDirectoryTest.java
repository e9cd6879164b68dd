package io.strandline.broker.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HintDirectoryTest {
  private static final Instant NOW = Instant.ofEpochSecond(1_800_000_000);
  private static final long USEFUL_MS = 1_000;

  @TempDir Path dir;

  private Optional<String> identity = Optional.empty();

  private HintDirectory hints() {
    return new HintDirectory(dir.resolve("manifests"), () -> identity, USEFUL_MS);
  }

  private Path written(String name, long ageMs) throws IOException {
    Path file = dir.resolve("manifests").resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, name);
    return Files.setLastModifiedTime(file, FileTime.from(NOW.minusMillis(ageMs)));
  }

  @Test
  void nothingIsKnownOfAStoreThatHasNotSaidWhichItIs() throws IOException {
    Path other = written("a/x.manifest", 0);
    assertThat(hints().ofThisStore()).isEmpty();
    hints().tidy(NOW);
    assertThat(other).exists();
    identity = Optional.of("../b");
    assertThat(hints().ofThisStore()).isEmpty();
    identity = Optional.of("a");
    assertThat(hints().ofThisStore()).contains(other.getParent());
  }

  @Test
  void whatIsOfAnotherStoreOrTooOldToBeOfUseIsDeleted() throws IOException {
    Path other = written("a/x.manifest", 0);
    Path before = written("of-an-earlier-version.manifest", 0);
    Path fresh = written("b/x.manifest", USEFUL_MS - 1);
    Path old = written("b/y.manifest", USEFUL_MS + 1);
    identity = Optional.of("b");
    hints().tidy(NOW);
    assertThat(fresh).exists();
    assertThat(old).doesNotExist();
    assertThat(before).doesNotExist();
    assertThat(other.getParent()).doesNotExist();
  }

  @Test
  void whereNothingWasKeptNothingIsToBeDone() {
    identity = Optional.of("b");
    hints().tidy(NOW);
    assertThat(dir).isEmptyDirectory();
  }
}
