package io.strandline.tiering.scrub;

import io.strandline.tiering.scrub.AuditFinding.Kind;
import io.strandline.tiering.scrub.ScrubLedger.Page;
import io.strandline.tiering.scrub.ScrubLedger.Position;
import io.strandline.tiering.store.ObjectKey;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.zip.CRC32C;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A ledger in a local file, so that the next process goes on where this one was. Lines, each ended
 * by the CRC32C of what precedes it: {@code at <topic id> <topic> <partition> <next offset> <round
 * ms> <crc>} and {@code found <topic id> <topic> <partition> <kind> <from> <to> <object or ->
 * <crc>}. Replaced whole; not forced to disk, for what a power cut takes is only read again. A
 * damaged line is dropped: its partition is read from its start.
 *
 * <p>Blocks; one thread at a time.
 */
public final class ScrubFile implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ScrubFile.class);

  private final Path file;
  private final ScrubLedger ledger;

  private ScrubFile(Path file, ScrubLedger ledger) {
    this.file = file;
    this.ledger = ledger;
  }

  /** Gives the ledger what an earlier process knew, if it left anything. */
  public static ScrubFile open(Path file, ScrubLedger ledger) {
    Map<TopicIdPartition, Page> pages = new HashMap<>();
    try {
      for (String line : Files.readAllLines(file, StandardCharsets.UTF_8)) {
        read(line, pages);
      }
      LOG.atInfo().addKeyValue("count", pages.size()).log("scrubbing goes on where it stopped");
    } catch (NoSuchFileException e) {
      LOG.atInfo().addKeyValue("path", file).log("scrubbing begins: nothing was scrubbed before");
    } catch (IOException e) {
      LOG.atWarn()
          .addKeyValue("path", file)
          .addKeyValue("reason", e.toString())
          .log("scrubbing begins anew: how far it was cannot be read");
    }
    ledger.restore(pages);
    return new ScrubFile(file, ledger);
  }

  /** Writes what changed, if anything did. */
  public synchronized void save() {
    Optional<Map<TopicIdPartition, Page>> pages = ledger.changes();
    if (pages.isEmpty()) {
      return;
    }
    StringBuilder text = new StringBuilder();
    pages.get().forEach((partition, page) -> write(partition, page, text));
    Path fresh = file.resolveSibling(file.getFileName() + ".new");
    try {
      Path directory = file.getParent();
      if (directory != null) {
        Files.createDirectories(directory);
      }
      Files.writeString(fresh, text);
      Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      LOG.atWarn()
          .addKeyValue("path", file)
          .addKeyValue("reason", e.toString())
          .log("how far scrubbing is cannot be written; a restart would begin earlier");
    }
  }

  @Override
  public void close() {
    save();
  }

  private static void write(TopicIdPartition partition, Page page, StringBuilder text) {
    String where =
        partition.topicId() + " " + partition.topic() + " " + partition.partition() + " ";
    Position at = page.position();
    text.append(sealed("at " + where + at.nextOffset() + " " + at.roundMs()));
    for (AuditFinding f : page.findings()) {
      String object = f.object().map(ObjectKey::value).orElse("-");
      String what = f.kind() + " " + f.offset() + " " + f.endOffset() + " " + object;
      text.append(sealed("found " + where + what));
    }
  }

  private static void read(String line, Map<TopicIdPartition, Page> pages) {
    int end = line.lastIndexOf(' ');
    if (end < 0 || !line.substring(end + 1).equals(crc(line.substring(0, end)))) {
      LOG.atWarn()
          .addKeyValue("bytes", line.length())
          .log("a damaged line on scrubbing is dropped");
      return;
    }
    List<String> words = List.of(line.substring(0, end).split(" ", -1));
    try {
      TopicIdPartition partition =
          new TopicIdPartition(
              Uuid.fromString(words.get(1)),
              new TopicPartition(words.get(2), Integer.parseInt(words.get(3))));
      Page page = pages.getOrDefault(partition, Page.EMPTY);
      pages.put(
          partition,
          words.get(0).equals("at")
              ? new Page(position(words), page.findings())
              : new Page(page.position(), with(page, finding(partition, words))));
    } catch (IllegalArgumentException | IndexOutOfBoundsException notOurs) {
      LOG.atWarn().setCause(notOurs).log("a line on scrubbing that nobody writes is dropped");
    }
  }

  private static Position position(List<String> words) {
    return new Position(Long.parseLong(words.get(4)), Long.parseLong(words.get(5)));
  }

  private static AuditFinding finding(TopicIdPartition partition, List<String> words) {
    String object = words.get(7);
    return new AuditFinding(
        Kind.valueOf(words.get(4)),
        Optional.of(partition),
        object.equals("-") ? Optional.empty() : Optional.of(ObjectKey.of(object)),
        Long.parseLong(words.get(5)),
        Long.parseLong(words.get(6)),
        "found before the last start");
  }

  private static List<AuditFinding> with(Page page, AuditFinding finding) {
    List<AuditFinding> all = new ArrayList<>(page.findings());
    all.add(finding);
    return List.copyOf(all);
  }

  private static String sealed(String text) {
    return text + " " + crc(text) + "\n";
  }

  private static String crc(String text) {
    CRC32C crc = new CRC32C();
    crc.update(text.getBytes(StandardCharsets.UTF_8));
    return String.format(Locale.ROOT, "%08x", crc.getValue());
  }
}
