package io.strandline.tiering.upload;

import io.strandline.tiering.store.ObjectKey;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.zip.CRC32C;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A broker's open {@link UploadIntent}s, in one local file, so that a crash leaves nothing unknown
 * in the bucket (design D15).
 *
 * <p>The file is a log of lines, each ended by the CRC32C of what precedes it: {@code begin <key>
 * <topic id> <topic> <partition> <epoch> <base> <end> <ms> <crc>} and {@code end <key> <crc>}. A
 * begin is fsynced before the call returns; an end is not, because resolving an intent twice is
 * harmless. A line that is torn or damaged is dropped with a warning: the object it may have named
 * is left to the orphan sweep. The file is rewritten at open and when it has doubled. Threads: any;
 * blocks on disk.
 */
public final class UploadIntents implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(UploadIntents.class);
  private static final String FILE = "uploads.intents";
  private static final long REWRITE_BYTES = 64 << 10;

  private final Path file;
  private final Map<ObjectKey, UploadIntent> open = new LinkedHashMap<>();
  private FileChannel channel;
  private boolean torn;

  /** Length of the file when it was last rewritten: what was open then. */
  private long rewrittenBytes;

  private UploadIntents(Path file, FileChannel channel) throws IOException {
    this.file = file;
    this.channel = channel;
    this.rewrittenBytes = channel.size();
  }

  /** Reads what an earlier process left open in the directory, which is created if need be. */
  public static UploadIntents open(Path directory) throws IOException {
    Files.createDirectories(directory);
    Path file = directory.resolve(FILE);
    Map<ObjectKey, UploadIntent> left = new LinkedHashMap<>();
    if (Files.exists(file)) {
      String text = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
      text.lines().forEach(line -> replay(line, left));
    }
    FileChannel fresh = fresh(file, left);
    try {
      replace(file);
      force(directory);
    } catch (IOException e) {
      fresh.close();
      throw e;
    }
    UploadIntents intents = new UploadIntents(file, fresh);
    intents.open.putAll(left);
    return intents;
  }

  /** Durable when it returns. */
  public synchronized void begin(UploadIntent intent) throws IOException {
    append(beginLine(intent));
    channel.force(false);
    open.put(intent.object(), intent);
  }

  /** Nothing is open about this object any more. */
  public synchronized void end(ObjectKey object) throws IOException {
    if (open.remove(object) == null) {
      return;
    }
    append(sealed("end " + object));
    // By doubling: with many open, and all ending, a rewrite for each would hold up everybody.
    if (channel.size() > Math.max(REWRITE_BYTES, 2 * rewrittenBytes)) {
      rewrite();
    }
  }

  /** All that are open, oldest first. */
  public synchronized List<UploadIntent> open() {
    return List.copyOf(open.values());
  }

  @Override
  public synchronized void close() throws IOException {
    channel.close();
  }

  /**
   * If it fails before the new file has the old one's name, the old one stays in use; from then on
   * the new one is: what were written to the other would be gone with the process.
   */
  private void rewrite() throws IOException {
    FileChannel old = channel;
    FileChannel fresh = fresh(file, open);
    try {
      replace(file);
    } catch (IOException e) {
      fresh.close();
      throw e;
    }
    channel = fresh;
    rewrittenBytes = fresh.size();
    torn = true; // until the name is durable too
    old.close();
    force(file.toAbsolutePath().getParent());
    torn = false;
  }

  /** After a failure the file is written anew first: a torn line would spoil the next. */
  private void append(String line) throws IOException {
    if (torn) {
      rewrite();
    }
    torn = true;
    writeFully(channel, line);
    torn = false;
  }

  /** A file of these alone, durable but for its name; open for more. */
  private static FileChannel fresh(Path file, Map<ObjectKey, UploadIntent> intents)
      throws IOException {
    FileChannel out =
        FileChannel.open(
            freshName(file),
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING);
    try {
      StringBuilder all = new StringBuilder();
      intents.values().forEach(i -> all.append(beginLine(i)));
      writeFully(out, all.toString());
      out.force(true);
      return out;
    } catch (IOException e) {
      out.close();
      throw e;
    }
  }

  private static Path freshName(Path file) {
    return file.resolveSibling(FILE + ".new");
  }

  private static void replace(Path file) throws IOException {
    Files.move(
        freshName(file), file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  private static void force(@Nullable Path directory) throws IOException {
    if (directory != null) {
      try (FileChannel d = FileChannel.open(directory, StandardOpenOption.READ)) {
        d.force(true);
      }
    }
  }

  private static void writeFully(FileChannel out, String text) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    while (bytes.hasRemaining()) {
      out.write(bytes);
    }
  }

  private static String beginLine(UploadIntent i) {
    TopicIdPartition p = i.partition();
    return sealed(
        String.join(
            " ",
            "begin",
            i.object().value(),
            p.topicId().toString(),
            p.topic(),
            Integer.toString(p.partition()),
            Integer.toString(i.leaderEpoch()),
            Long.toString(i.baseOffset()),
            Long.toString(i.endOffset()),
            Long.toString(i.sinceMs())));
  }

  private static String sealed(String text) {
    return text + " " + crc(text) + "\n";
  }

  private static String crc(String text) {
    CRC32C crc = new CRC32C();
    crc.update(text.getBytes(StandardCharsets.UTF_8));
    return String.format(Locale.ROOT, "%08x", crc.getValue());
  }

  private static void replay(String line, Map<ObjectKey, UploadIntent> open) {
    int end = line.lastIndexOf(' ');
    if (end < 0 || !line.substring(end + 1).equals(crc(line.substring(0, end)))) {
      LOG.atWarn().addKeyValue("bytes", line.length()).log("a damaged upload intent is dropped");
      return;
    }
    List<String> words = List.of(line.substring(0, end).split(" ", -1));
    try {
      if (words.get(0).equals("end") && words.size() == 2) {
        open.remove(ObjectKey.of(words.get(1)));
      } else {
        parse(words).ifPresent(i -> open.put(i.object(), i));
      }
    } catch (IllegalArgumentException notOurs) {
      LOG.atWarn().setCause(notOurs).log("an upload intent that nobody writes is dropped");
    }
  }

  private static Optional<UploadIntent> parse(List<String> words) {
    if (words.size() != 9 || !words.get(0).equals("begin")) {
      return Optional.empty();
    }
    TopicPartition tp = new TopicPartition(words.get(3), Integer.parseInt(words.get(4)));
    return Optional.of(
        new UploadIntent(
            new TopicIdPartition(Uuid.fromString(words.get(2)), tp),
            ObjectKey.of(words.get(1)),
            Integer.parseInt(words.get(5)),
            Long.parseLong(words.get(6)),
            Long.parseLong(words.get(7)),
            Long.parseLong(words.get(8))));
  }
}
