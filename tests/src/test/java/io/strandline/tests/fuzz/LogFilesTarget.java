package io.strandline.tests.fuzz;

import io.strandline.broker.log.LogDirectory;
import io.strandline.broker.log.LogRead;
import io.strandline.broker.log.PartitionLog;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.CorruptRecordException;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.record.internal.RecordBatch;

/**
 * A log directory as a broker finds it at its start: batches, indexes, snapshots, epochs,
 * checkpoints and names. It is opened or refused. A log that was recovered can be read from end to
 * end, and appended to, and opening it again changes nothing.
 */
final class LogFilesTarget implements FuzzTarget {
  private static final String CLEAN = ".kafka_cleanshutdown";
  private static final List<String> STRANGERS =
      List.of(
          "orders-99999999999/partition.metadata",
          "other-1/partition.metadata",
          "other-2/leader-epoch-checkpoint",
          "orders-0/99999999999999999999.log",
          "orders-0/00000000000000000007.log",
          "orders-0/00000000000000000021.snapshot",
          "orders-0/00000000000000000021.txnindex",
          "orders-0/x.snapshot",
          "orders-0/00000000000000000000.log.swap",
          "orders-0/00000000000000000000.log.cleaned",
          "gone-0.1234-delete/00000000000000000000.log",
          "recovery-point-offset-checkpoint",
          "log-start-offset-checkpoint",
          "replication-offset-checkpoint",
          "meta.properties",
          CLEAN);

  private final Path directory;
  private final Map<String, byte[]> crashed = new TreeMap<>();
  private final Map<String, byte[]> stopped = new TreeMap<>();
  private int opened;

  LogFilesTarget(Path directory) throws IOException {
    this.directory = directory;
    SmallLog.write(directory.resolve("made"), false);
    take(directory.resolve("made"), crashed);
    SmallLog.write(directory.resolve("made-clean"), true);
    take(directory.resolve("made-clean"), stopped);
  }

  private static void take(Path from, Map<String, byte[]> into) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        String name = from.relativize(file).toString();
        if (!name.equals(".lock")) {
          into.put(name, Files.readAllBytes(file));
        }
      }
    }
  }

  @Override
  public String name() {
    return "logFiles";
  }

  /** A number of files, then each with its name and length. */
  @Override
  public byte[] input(Random chance) {
    Map<String, byte[]> files = new TreeMap<>(chance.nextInt(3) > 0 ? crashed : stopped);
    int changes = 1 + chance.nextInt(2);
    for (int i = 0; i < changes; i++) {
      change(files, chance);
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      out.writeInt(files.size());
      for (Map.Entry<String, byte[]> file : files.entrySet()) {
        out.writeUTF(file.getKey());
        out.writeInt(file.getValue().length);
        out.write(file.getValue());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  private static void change(Map<String, byte[]> files, Random chance) {
    List<String> names = new ArrayList<>(files.keySet());
    String name = names.get(chance.nextInt(names.size()));
    byte[] old = files.get(name);
    switch (chance.nextInt(12)) {
      case 0 -> files.remove(name);
      case 1 ->
          files.put(STRANGERS.get(chance.nextInt(STRANGERS.size())), Mutations.some(old, chance));
      case 2 -> files.put(name, files.get(names.get(chance.nextInt(names.size()))));
      default -> {
        if (name.endsWith(".log")) {
          files.put(name, batches(name, old, chance));
        } else if (name.endsWith(".snapshot")) {
          files.put(name, snapshot(Mutations.some(old, chance), chance));
        } else {
          files.put(name, Mutations.some(old, chance));
        }
      }
    }
  }

  private static byte[] snapshot(byte[] bytes, Random chance) {
    if (bytes.length > 6 && chance.nextInt(4) > 0) {
      Crc.mend(bytes, 6, bytes.length, 2);
    }
    return bytes;
  }

  /** Damaged, or with batches behind or in place of its own whose sums hold. */
  private static byte[] batches(String name, byte[] old, Random chance) {
    if (chance.nextInt(3) == 0) {
      return Mutations.some(old, chance);
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    long next = Long.parseLong(name.substring(name.length() - 12, name.length() - 4));
    if (chance.nextBoolean()) {
      bytes.writeBytes(old);
      next += chance.nextInt(12);
    }
    int more = 1 + chance.nextInt(3);
    for (int i = 0; i < more; i++) {
      long base = chance.nextInt(12) == 0 ? Mutations.extreme(chance) : next;
      bytes.writeBytes(Batches.any(new Batches.Place(base, 1, SmallLog.NOW_MS), chance));
      next += 12;
    }
    return bytes.toByteArray();
  }

  @Override
  public void decode(byte[] input) throws IOException {
    Path root = directory.resolve("opened-" + opened++);
    boolean strict = unpack(input, root);
    try {
      long end = open(root, strict, true);
      if (end >= 0) {
        long again = open(root, strict, false);
        if (strict && again != end) {
          throw new AssertionError("ended at " + end + ", opened again at " + again);
        }
      }
    } finally {
      delete(root);
    }
  }

  /** Whether all of the log is read through at the start. */
  private static boolean unpack(byte[] input, Path root) throws IOException {
    boolean strict = true;
    try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(input))) {
      int count = in.readInt();
      for (int i = 0; i < count; i++) {
        String name = in.readUTF();
        byte[] bytes = in.readNBytes(in.readInt());
        Path file = root.resolve(name);
        Files.createDirectories(file.getParent());
        Files.write(file, bytes);
        strict &= !name.equals(CLEAN) && !name.startsWith("recovery-point");
      }
    }
    return strict;
  }

  /**
   * @return where the log ends, -1 if it was refused
   */
  private static long open(Path root, boolean strict, boolean append) {
    try (LogDirectory logs = SmallLog.directory(root)) {
      PartitionLog log = logs.openAll(topic -> SmallLog.config()).get(SmallLog.PARTITION);
      if (log == null) {
        return -1;
      }
      try {
        read(log, strict);
      } catch (CorruptRecordException | KafkaStorageException damaged) {
        if (strict) {
          throw new AssertionError("recovered, and cannot be read", damaged);
        }
        return -1;
      }
      look(log);
      if (append && strict) {
        SmallLog.append(log, 0);
        log.flush();
      }
      long end = log.logEndOffset();
      if (append && end % 2 == 0) {
        logs.close(7); // in order, so that the next start believes the files
      }
      return end;
    }
  }

  private static void read(PartitionLog log, boolean strict) {
    long offset = log.localLogStartOffset();
    while (offset < log.logEndOffset()) {
      try (LogRead region = log.read(offset, 1 << 20, log.logEndOffset(), true)) {
        if (region.isEmpty()) {
          return; // of a hole no bytes are left
        }
        long next = Long.MIN_VALUE;
        for (RecordBatch batch : region.toMemory().batches()) {
          if (strict && (batch.baseOffset() < next || batch.lastOffset() < batch.baseOffset())) {
            throw new AssertionError("offsets fall at " + batch);
          }
          next = batch.lastOffset() + 1;
        }
        if (strict && region.nextOffset() <= offset) {
          throw new AssertionError("no way on from " + offset);
        }
        offset = Math.max(offset + 1, region.nextOffset());
      }
    }
  }

  private static void look(PartitionLog log) {
    try {
      log.firstReaching(SmallLog.NOW_MS + 5, log.logEndOffset());
      log.maxTimestamp(Long.MAX_VALUE);
      log.abortedTransactions(0, log.logEndOffset());
      log.sealedSegments(0, log.logEndOffset(), 5);
    } catch (ApiException told) {
      // What cannot be decoded is told as such.
    }
  }

  private static void delete(Path root) throws IOException {
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  @Override
  public boolean promises(Throwable failure) {
    return failure instanceof KafkaStorageException;
  }

  @Override
  public Allowance allowance() {
    return new Allowance(64, 160 << 20);
  }
}
