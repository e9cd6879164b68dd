package io.strandline.broker.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What a clean stop forces: all that the mark of it promises, and nothing that was durable before.
 * Told by the steps of the disk.
 */
class CleanStopTest {
  /** Of the directory of logs, whatever is in them. */
  private static final String[] OF_ALL = {
    "recovery-point-offset-checkpoint.tmp",
    "d",
    "log-start-offset-checkpoint.tmp",
    "d",
    ".kafka_cleanshutdown.tmp",
    "d"
  };

  private static final String ACTIVE = "00000000000000000015";

  private final FailingDisk disk = new FailingDisk();
  private final Logs logs;

  CleanStopTest(@TempDir Path temp) {
    logs = new Logs(temp.resolve("d")).segmentBytes(300);
    logs.disk = disk;
  }

  private PartitionLog stoppedAndStarted() {
    PartitionLog log = logs.create();
    for (int i = 0; i < 17; i++) {
      logs.append(log, "value" + i);
    }
    log = logs.restart(log);
    forget();
    return log;
  }

  private void forget() {
    disk.forced.clear();
    disk.named.clear();
  }

  private static Map<String, byte[]> files(PartitionLog log) throws IOException {
    Map<String, byte[]> files = new TreeMap<>();
    try (Stream<Path> all = Files.list(log.path())) {
      for (Path file : all.toList()) {
        files.put(file.getFileName().toString(), Files.readAllBytes(file));
      }
    }
    return files;
  }

  @Test
  void aLogThatIsAsItWasFoundForcesNothing() throws IOException {
    PartitionLog log = stoppedAndStarted();
    Map<String, byte[]> before = files(log);
    List<String> records = Logs.read(log, 0);
    assertThat(log.firstReaching(logs.nowMs, 17)).isPresent();

    log.directory().close(5);

    assertThat(disk.forced).containsExactly(OF_ALL);
    assertThat(disk.named).noneMatch(name -> name.startsWith("0"));
    assertThat(files(log)).usingRecursiveComparison().isEqualTo(before);
    assertThat(Logs.read(logs.reopen(), 0)).isEqualTo(records);
  }

  @Test
  void whatWasAppendedToIsForcedOnce() {
    PartitionLog log = stoppedAndStarted();
    logs.append(log, "more");
    assertThat(disk.named).as("indexes lag behind from now on").contains(ACTIVE + ".index");
    forget();

    log.directory().close(5);

    assertThat(disk.forced.subList(0, disk.forced.size() - OF_ALL.length))
        .containsExactly(
            ACTIVE + ".log",
            ACTIVE + ".index",
            ACTIVE + ".timeindex",
            log.path().getFileName().toString());
  }

  @Test
  void aCutIsForced() {
    PartitionLog log = stoppedAndStarted();
    log.truncateTo(16);
    forget();

    log.directory().close(5);

    assertThat(disk.forced).contains(ACTIVE + ".log", ACTIVE + ".index", ACTIVE + ".timeindex");
    assertThat(Logs.read(logs.reopen(), 0)).hasSize(16);
  }

  @Test
  void whatWasOnlyClosedNeedsNoForceOfItsOwn() {
    PartitionLog log = stoppedAndStarted();
    log.roll();
    assertThat(disk.forced).doesNotContain(ACTIVE + ".log", ACTIVE + ".index");
    assertThat(Logs.read(log, 0)).hasSize(17);
    assertThat(log.firstReaching(logs.nowMs, 17)).isPresent();
    assertThat(Logs.read(logs.restart(log), 0)).hasSize(17);
  }

  /** A stop takes the mark of the one before as its word only if the start did. */
  @Test
  void afterACrashAllThatWasScannedIsForced() {
    PartitionLog log = stoppedAndStarted();
    log = logs.crash(log);
    forget();

    log.directory().close(5);

    assertThat(disk.forced)
        .contains(
            ACTIVE + ".log",
            ACTIVE + ".index",
            ACTIVE + ".timeindex",
            log.path().getFileName().toString());
  }

  /** Index files of a start long ago, which a power cut brings back, are not believed. */
  @Test
  void indexesThatComeBackAfterAPowerCutAreMadeAgain() throws IOException {
    PartitionLog log = stoppedAndStarted();
    Map<String, byte[]> old = files(log);
    logs.append(log, "more");
    log.directory().close();
    for (String kind : List.of(".index", ".timeindex")) {
      Files.write(log.path().resolve(ACTIVE + kind), old.getOrDefault(ACTIVE + kind, new byte[0]));
    }

    log = logs.reopen();

    assertThat(Logs.read(log, 17)).containsExactly("17=more");
    log = logs.restart(log);
    assertThat(Logs.read(log, 17)).containsExactly("17=more");
  }

  /** What a flush has told to be durable is, though segments are closed while it works. */
  @Test
  void noSegmentIsLeftOutThatIsClosedDuringAFlush() {
    PartitionLog log = logs.create();
    AtomicBoolean enough = new AtomicBoolean();
    CompletableFuture<Void> writer =
        CompletableFuture.runAsync(
            () -> {
              while (!enough.get()) {
                logs.append(log, "value");
                log.roll();
              }
            });
    long before = 0;
    for (int i = 0; i < 300; i++) {
      log.flush();
      long durable = log.recoveryPoint();
      Set<String> forced = Set.copyOf(List.of(disk.forced.toArray(String[]::new)));
      for (long base = before; base < durable; base++) {
        assertThat(forced).contains("%020d.log".formatted(base));
      }
      before = durable;
    }
    enough.set(true);
    writer.join();
    log.directory().close();
  }
}
