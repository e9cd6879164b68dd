package io.strandline.tests.fuzz;

import io.strandline.tiering.reclaim.Deletions;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.upload.UploadIntent;
import io.strandline.tiering.upload.UploadIntents;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.zip.CRC32C;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;

/** What a broker writes down of uploads and deletions that are under way; damage costs a line. */
final class JournalTarget implements FuzzTarget {
  private static final TopicIdPartition PARTITION =
      new TopicIdPartition(new Uuid(7, 11), 3, "orders");

  private final Path directory;
  private final byte[] intents;
  private final byte[] deletion;

  JournalTarget(Path directory) throws IOException {
    this.directory = directory;
    Path made = directory.resolve("made");
    try (UploadIntents journal = UploadIntents.open(made)) {
      for (int i = 0; i < 4; i++) {
        ObjectKey key = ObjectKey.of("ab12/x/3/s-" + i);
        journal.begin(new UploadIntent(PARTITION, key, 1, i * 10L, i * 10L + 10, 1_000));
      }
      journal.end(ObjectKey.of("ab12/x/3/s-1"));
    }
    Deletions.open(made).begin(new Deletions.Deletion(PARTITION, 4));
    intents = Files.readAllBytes(made.resolve("uploads.intents"));
    deletion = Files.readAllBytes(only(made));
  }

  private static Path only(Path made) throws IOException {
    try (var files = Files.list(made)) {
      return files.filter(f -> f.toString().endsWith(".delete")).findFirst().orElseThrow();
    }
  }

  @Override
  public String name() {
    return "journal";
  }

  /** A letter for the kind, then the file. */
  @Override
  public byte[] input(Random chance) {
    if (chance.nextInt(3) == 0) {
      return joined('d', Mutations.some(deletion, chance));
    }
    byte[] bytes = Mutations.some(intents, chance);
    return joined('i', chance.nextInt(5) == 0 ? bytes : resealed(bytes));
  }

  private static byte[] joined(char kind, byte[] bytes) {
    byte[] all = new byte[bytes.length + 1];
    all[0] = (byte) kind;
    System.arraycopy(bytes, 0, all, 1, bytes.length);
    return all;
  }

  /** Every line with a sum that holds. */
  private static byte[] resealed(byte[] bytes) {
    StringBuilder text = new StringBuilder();
    for (String line : new String(bytes, StandardCharsets.UTF_8).lines().toList()) {
      int end = line.lastIndexOf(' ');
      String said = end < 0 ? line : line.substring(0, end);
      CRC32C crc = new CRC32C();
      crc.update(said.getBytes(StandardCharsets.UTF_8));
      text.append(said).append(String.format(Locale.ROOT, " %08x%n", crc.getValue()));
    }
    return text.toString().getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public void decode(byte[] input) throws IOException {
    Path here = directory.resolve("here");
    Files.createDirectories(here);
    Path file = here.resolve(input[0] == 'd' ? "x.delete" : "uploads.intents");
    byte[] bytes = new byte[input.length - 1];
    System.arraycopy(input, 1, bytes, 0, bytes.length);
    Files.write(file, bytes);
    try {
      if (input[0] == 'd') {
        Deletions.open(here).open();
      } else {
        intents(here);
      }
    } finally {
      Files.deleteIfExists(file);
    }
  }

  /** What was read once is read again: it was written anew. */
  private static void intents(Path here) throws IOException {
    List<UploadIntent> first;
    try (UploadIntents journal = UploadIntents.open(here)) {
      first = journal.open();
    }
    try (UploadIntents journal = UploadIntents.open(here)) {
      if (!journal.open().equals(first)) {
        throw new AssertionError("read " + first + ", then " + journal.open());
      }
    }
  }

  @Override
  public boolean promises(Throwable failure) {
    return false;
  }

  @Override
  public Allowance allowance() {
    return new Allowance(200, 1 << 20);
  }
}
