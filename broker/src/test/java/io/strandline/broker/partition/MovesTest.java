package io.strandline.broker.partition;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.broker.log.PartitionLog.AppendTerms;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.errors.LogDirNotFoundException;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.VerificationGuard;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Replicas between the log directories of a broker, and which of two logs a start takes. */
@Timeout(value = 1, unit = TimeUnit.MINUTES)
class MovesTest {
  private static final TopicPartition TP = new TopicPartition(Rig.NAME, 0);

  @TempDir Path dir;
  private final Rig rig = new Rig();
  private Path a;
  private Path b;

  @BeforeEach
  void begin() {
    a = dir.resolve("a");
    b = dir.resolve("b");
    rig.start(a, b);
  }

  @AfterEach
  void end() {
    rig.close();
  }

  @Test
  void aLeaderMovesOnceTheControllerKnows() throws Exception {
    Partition partition = rig.lead(0);
    append(partition, "one");
    rig.assigns = false;
    rig.partitions.moves().request(TP, b.toString());
    await(() -> Rig.directoryId(1).equals(rig.assigned.get(partition.id())));
    assertThat(partition.log().directory().path()).isEqualTo(a);
    assertThat(rig.partitions.moves().of(TP)).isPresent();
    assertThat(rig.partitions.moves().announced(partition.id(), Rig.directoryId(1))).isTrue();
    append(partition, "two");

    rig.partitions.moves().request(TP, a.toString()); // it is to stay, after all
    assertThat(rig.assigned).containsEntry(partition.id(), Rig.directoryId(0));
    assertThat(names(b)).isEmpty();
    assertThat(rig.partitions.moves().of(TP)).isEmpty();

    rig.assigns = true;
    rig.partitions.moves().request(TP, b.toString());
    await(() -> partition.log().directory().path().equals(b));
    append(partition, "three");
    assertThat(partition.logEndOffset()).isEqualTo(3);
    assertThat(partition.highWatermark()).isEqualTo(3);
    await(() -> rig.partitions.moves().of(TP).isEmpty());
    assertThat(names(b)).containsExactly("orders-0");
    assertThat(names(a)).noneMatch("orders-0"::equals);
  }

  /** A producer that was verified before appends after. */
  @Test
  void whoIsBeingVerifiedStaysSo() throws Exception {
    Partition partition = rig.lead(0);
    VerificationGuard guard = partition.verify(7, (short) 0, 0, false).get();
    rig.partitions.moves().request(TP, b.toString());
    await(() -> partition.log().directory().path().equals(b));
    MemoryRecords first =
        MemoryRecords.withTransactionalRecords(
            Compression.NONE,
            7L,
            (short) 0,
            0,
            new SimpleRecord(rig.nowMs, null, "t".getBytes(StandardCharsets.UTF_8)));
    AppendTerms terms =
        new AppendTerms(AppendTerms.PRESENT_EPOCH, AppendOrigin.CLIENT, guard, (short) -1);
    partition.append(first, (short) 1, terms).written().get();
    assertThat(partition.lastStableOffset()).isZero();
    assertThat(partition.logEndOffset()).isEqualTo(1);
  }

  @Test
  void whatIsDroppedIsNotMovedAnyMore() throws Exception {
    Partition partition = rig.lead(0);
    append(partition, "one");
    rig.assigns = false;
    rig.partitions.moves().request(TP, b.toString());
    rig.delete(0);
    await(() -> names(b).isEmpty());
    assertThat(rig.partitions.moves().of(TP)).isEmpty();
    rig.assigns = true;
    assertThat(rig.lead(0).log().directory().path()).isEqualTo(a);
  }

  @Test
  void theNextProcessGoesOn() throws Exception {
    Partition partition = rig.lead(0);
    append(partition, "one");
    rig.assigns = false;
    rig.partitions.moves().request(TP, b.toString());
    rig.crash();
    assertThat(names(b)).hasSize(1).allMatch(name -> name.endsWith("-future"));

    rig.assigns = true;
    rig.start(a, b);
    await(() -> names(b).contains("orders-0"));
    await(() -> rig.partitions.moves().of(TP).isEmpty());
    assertThat(rig.lead(0).log().directory().path()).isEqualTo(b);
    assertThat(names(b)).containsExactly("orders-0");
    assertThat(rig.partitions.hosted(TP).orElseThrow().logEndOffset()).isEqualTo(1);
  }

  /** The copy is whole already, and the next rename makes it the log. */
  @Test
  void aLogThatLeavesADiskAsThatFailsIsServed() throws Exception {
    append(rig.lead(0), "one");
    rig.lead(1);
    rig.stop();
    FakeTier tier = new FakeTier();
    rig.tier = tier;
    ExecutorService mover = Executors.newSingleThreadExecutor();
    rig.moving = mover;
    rig.start(a, b);
    rig.hearAll();
    Partition partition = rig.partitions.leaderOrThrow(TP);
    Partition other = rig.partitions.leaderOrThrow(new TopicPartition(Rig.NAME, 1));
    rig.onRename =
        to -> {
          if (to.equals(b.resolve("orders-0"))) {
            rig.onRename = any -> {};
            breakDirectory(a);
          }
        };
    rig.partitions.moves().request(TP, b.toString());
    await(() -> partition.log().directory().path().equals(b));
    mover.shutdown();
    assertThat(mover.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
    assertThat(rig.failed).containsExactly(Rig.directoryId(0));
    assertThat(other.role()).isInstanceOf(Role.Offline.class);
    assertThat(partition.leads()).isTrue();
    assertThat(tier.joined).containsExactly(partition.id());
    append(partition, "two");
    assertThat(partition.highWatermark()).isEqualTo(2);
  }

  @Test
  void aMoveWaitsForAThread() throws Exception {
    Partition partition = rig.lead(0);
    AtomicBoolean refused = new AtomicBoolean();
    rig.moving =
        task -> {
          if (refused.compareAndSet(false, true)) {
            throw new InternalError("for the test");
          }
          task.run();
        };
    rig.partitions.moves().request(TP, b.toString());
    await(() -> partition.log().directory().path().equals(b));
  }

  @Test
  void anErrorOfOneMoveCostsTheOthersNothing() throws Exception {
    rig.stop();
    AtomicBoolean failed = new AtomicBoolean();
    PartitionSettings defaults = PartitionSettings.defaults();
    rig.settings =
        new PartitionSettings(
            defaults.inlineBytes(),
            defaults.maintainMs(),
            defaults.highWatermarkMs(),
            defaults.retentionMs(),
            defaults.cleanMs(),
            defaults.internalBackupMs(),
            defaults.cleaner(),
            1,
            () -> {
              if (failed.compareAndSet(false, true)) {
                throw new InternalError("for the test");
              }
              return Long.MAX_VALUE;
            },
            defaults.tiers());
    ExecutorService mover = Executors.newSingleThreadExecutor();
    rig.moving = mover;
    rig.start(a, b);
    Partition partition = rig.lead(0);
    rig.partitions.moves().request(TP, b.toString());
    await(() -> rig.partitions.moves().of(TP).isEmpty());
    rig.partitions.moves().request(TP, b.toString());
    await(() -> partition.log().directory().path().equals(b));
    mover.shutdown();
    assertThat(mover.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void requestsThatCannotBe() {
    Partition partition = rig.lead(0);
    assertThatThrownBy(() -> rig.partitions.moves().request(TP, dir.resolve("c").toString()))
        .isInstanceOf(LogDirNotFoundException.class);
    breakDirectory(b);
    assertThatThrownBy(() -> rig.partitions.moves().request(TP, b.toString()))
        .isInstanceOf(KafkaStorageException.class);
    assertThat(partition.leads()).isTrue();
  }

  /** Of two logs of a partition the newer serves; an older one is set aside, an equal one goes. */
  @Test
  void aStartTakesTheNewerOfTwoLogs() throws Exception {
    Partition partition = rig.lead(0);
    append(partition, "one");
    rig.stop();
    copy(a.resolve("orders-0"), b.resolve("orders-0"));
    rig.start(a, b);
    assertThat(rig.partitions.hosted(TP).orElseThrow().log().directory().path()).isEqualTo(a);
    assertThat(names(b)).noneMatch(name -> name.equals("orders-0") || name.endsWith("-stray"));

    copy(a.resolve("orders-0"), dir.resolve("old"));
    append(rig.lead(0), "two");
    rig.stop();
    Files.move(a.resolve("orders-0"), b.resolve("orders-0"));
    Files.move(dir.resolve("old"), a.resolve("orders-0"));
    rig.start(a, b);
    Partition found = rig.partitions.hosted(TP).orElseThrow();
    assertThat(found.log().directory().path()).isEqualTo(b);
    assertThat(found.logEndOffset()).isEqualTo(2);
    assertThat(names(a)).anyMatch(name -> name.endsWith("-stray"));
  }

  // ---- help

  private void append(Partition partition, String value) throws Exception {
    partition.append(rig.records(value), (short) 1).written().get();
  }

  private void breakDirectory(Path path) {
    try (Stream<Path> all = Files.walk(path)) {
      for (Path one : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(one);
      }
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
    assertThatThrownBy(
            () ->
                rig.partitions.home().directories().stream()
                    .filter(directory -> directory.path().equals(path))
                    .forEach(directory -> directory.checkpointHighWatermarks(Map.of())))
        .isInstanceOf(KafkaStorageException.class);
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> all = Files.walk(from)) {
      for (Path one : all.toList()) {
        Files.copy(one, to.resolve(from.relativize(one)));
      }
    }
  }

  private static List<String> names(Path directory) throws IOException {
    List<String> names = new ArrayList<>();
    try (Stream<Path> all = Files.list(directory)) {
      all.map(path -> path.getFileName().toString())
          .filter(name -> name.startsWith("orders") && !name.endsWith("-delete"))
          .forEach(names::add);
    }
    return names;
  }

  private interface Condition {
    boolean met() throws Exception;
  }

  private static void await(Condition condition) throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (!condition.met()) {
      assertThat(System.nanoTime()).as("waited in vain").isLessThan(deadline);
      Thread.onSpinWait();
    }
  }
}
