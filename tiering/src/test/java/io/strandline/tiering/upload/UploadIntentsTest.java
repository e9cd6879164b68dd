package io.strandline.tiering.upload;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tiering.segment.SegmentId;
import io.strandline.tiering.segment.TestLog;
import io.strandline.tiering.store.ObjectKey;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UploadIntentsTest {
  @TempDir Path directory;

  private static UploadIntent intent(long n) {
    ObjectKey key = SegmentId.of(TestLog.PARTITION, n, n).key();
    return new UploadIntent(TestLog.PARTITION, key, 5, n, n + 10, 1234);
  }

  @Test
  void whatBeganAndDidNotEndIsFoundAgain() throws IOException {
    try (UploadIntents intents = UploadIntents.open(directory)) {
      intents.begin(intent(1));
      intents.begin(intent(2));
      intents.end(intent(1).object());
    }
    assertThat(reopened()).containsExactly(intent(2));
  }

  /** A directory in the place of the new file: what a full disk does, without one. */
  @Test
  void aRewriteThatFailsLeavesTheFileInUse() throws IOException {
    Path fresh = directory.resolve("uploads.intents.new");
    try (UploadIntents intents = UploadIntents.open(directory)) {
      Files.createDirectories(fresh.resolve("in the way"));
      for (long n = 0; n < 1_000; n++) {
        try {
          intents.begin(intent(n));
          intents.end(intent(n).object());
        } catch (IOException inTheWay) {
          // told each time the file has grown; the intent itself is written
        }
      }
      intents.begin(intent(7_000));
      Files.delete(fresh.resolve("in the way"));
      Files.delete(fresh);
      intents.begin(intent(7_001));
      intents.end(intent(7_001).object());
    }
    assertThat(reopened()).containsExactly(intent(7_000));
  }

  @Test
  void aFileTornAtAnyByteKeepsWhatWasWhole() throws IOException {
    try (UploadIntents intents = UploadIntents.open(directory)) {
      intents.begin(intent(1));
      intents.begin(intent(2));
    }
    Path file = directory.resolve("uploads.intents");
    byte[] whole = Files.readAllBytes(file);
    int first = new String(whole, StandardCharsets.UTF_8).indexOf('\n') + 1;
    for (int length = 0; length <= whole.length; length++) {
      Files.write(file, java.util.Arrays.copyOf(whole, length));
      List<UploadIntent> expected = new ArrayList<>();
      if (length >= first - 1) {
        expected.add(intent(1));
      }
      if (length >= whole.length - 1) {
        expected.add(intent(2));
      }
      assertThat(reopened()).as("torn at %d", length).isEqualTo(expected);
    }
  }

  @Test
  void aDamagedLineCostsOnlyItself() throws IOException {
    try (UploadIntents intents = UploadIntents.open(directory)) {
      intents.begin(intent(1));
      intents.begin(intent(2));
      intents.begin(intent(3));
    }
    Path file = directory.resolve("uploads.intents");
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length / 2] ^= 1;
    Files.write(file, bytes);
    assertThat(reopened()).containsExactly(intent(1), intent(3));
  }

  /** As after an outage that many partitions met. */
  @Test
  void whenManyAreOpenTheirEndsDoNotRewriteTheFileEachTime() throws IOException {
    int many = 600;
    Set<Object> files = new HashSet<>();
    try (UploadIntents intents = UploadIntents.open(directory)) {
      for (int i = 0; i < many; i++) {
        intents.begin(intent(i));
      }
      Path file = directory.resolve("uploads.intents");
      assertThat(Files.size(file)).isGreaterThan(64 << 10);
      for (int i = 1; i < many; i++) {
        intents.end(intent(i).object());
        files.add(Files.getLastModifiedTime(directory));
      }
    }
    assertThat(files).as("times at which a file came into the directory").hasSizeLessThan(5);
    assertThat(reopened()).containsExactly(intent(0));
  }

  @Test
  void theFileDoesNotGrowForEver() throws IOException {
    try (UploadIntents intents = UploadIntents.open(directory)) {
      intents.begin(intent(1_000_000));
      for (int i = 0; i < 800; i++) {
        intents.begin(intent(i));
        intents.end(intent(i).object());
      }
      assertThat(Files.size(directory.resolve("uploads.intents"))).isLessThan(66 << 10);
    }
    assertThat(reopened()).containsExactly(intent(1_000_000));
  }

  private List<UploadIntent> reopened() throws IOException {
    try (UploadIntents intents = UploadIntents.open(directory)) {
      return intents.open();
    }
  }
}
