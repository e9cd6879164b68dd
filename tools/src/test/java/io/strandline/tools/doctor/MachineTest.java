package io.strandline.tools.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Limits, memory and clocks against what a made-up machine tells. */
class MachineTest {
  @TempDir Path dir;
  private Path root;
  private Path data;

  @BeforeEach
  void machine() throws IOException {
    root = dir.resolve("root");
    data = Files.createDirectories(dir.resolve("data"));
    tell(
        "proc/self/limits",
        "Limit  Soft  Hard\nMax open files            1048576    1048576   files\n");
    tell("proc/self/cgroup", "0::/system.slice/strandline.service\n");
    tell("proc/meminfo", "MemTotal:       16777216 kB\n");
    tell("proc/sys/vm/max_map_count", "65530\n");
  }

  @Test
  void aRoomyMachineIsWell() throws Exception {
    assertThat(limits()).extracting(Finding::verdict).containsOnly(Verdict.OK);
    assertThat(memory(Map.of()).verdict()).isEqualTo(Verdict.OK);
  }

  @Test
  void openFilesAreCountedAgainstPartitionsAndSegments() throws Exception {
    for (int i = 0; i < 400; i++) {
      Path partition = Files.createDirectory(data.resolve("orders-" + i));
      if (i < 10) {
        Files.createFile(partition.resolve("00000000000000000000.log"));
      }
    }
    openFiles(1_400);
    assertThat(limits().get(0).verdict()).isEqualTo(Verdict.FAIL);
    assertThat(limits().get(0).found())
        .contains("1400 may be open", "400 partitions", "10 segments");
    openFiles(20_000);
    assertThat(limits().get(0).verdict()).isEqualTo(Verdict.OK);
  }

  @Test
  void fewOpenFilesAreWarnedOfAndVeryFewFail() throws Exception {
    openFiles(4_096);
    assertThat(limits().get(0).verdict()).isEqualTo(Verdict.WARN);
    openFiles(1_000);
    assertThat(limits().get(0).verdict()).isEqualTo(Verdict.FAIL);
  }

  @Test
  void fewMemoryMapsAreWarnedOf() throws Exception {
    tell("proc/sys/vm/max_map_count", "1024\n");
    assertThat(limits().get(1).verdict()).isEqualTo(Verdict.WARN);
  }

  @Test
  void theControlGroupLimitsTheHeap() throws Exception {
    tell("sys/fs/cgroup/system.slice/memory.max", "536870912\n");
    assertThat(memory(Map.of()).verdict()).as("of the group around ours").isEqualTo(Verdict.FAIL);
    tell("sys/fs/cgroup/system.slice/memory.max", "max\n");
    assertThat(memory(Map.of()).verdict()).isEqualTo(Verdict.OK);
    assertThat(memory(Map.of("STRANDLINE_HEAP", "10g")).verdict()).isEqualTo(Verdict.WARN);
    assertThat(memory(Map.of("STRANDLINE_HEAP", "16g")).verdict()).isEqualTo(Verdict.FAIL);
  }

  /** With what {@code LauncherTest} has the launcher start a node with. */
  @Test
  void aNodeThatDoesNotRunIsLookedAtAsTheLauncherWouldStartIt() throws Exception {
    told(Map.of(), "512.0 MiB", "1.0 GiB");
    told(Map.of("STRANDLINE_HEAP", "", "STRANDLINE_DIRECT", ""), "512.0 MiB", "1.0 GiB");
    told(Map.of("STRANDLINE_HEAP", "700m", "STRANDLINE_DIRECT", "3g"), "700.0 MiB", "3.0 GiB");
    told(Map.of("STRANDLINE_MEMORY", "1g"), "400.0 MiB", "200.0 MiB");
    told(Map.of("STRANDLINE_MEMORY", "1g", "STRANDLINE_DIRECT", "100m"), "400.0 MiB", "100.0 MiB");
    told(Map.of("STRANDLINE_MEMORY", "cgroup"), "512.0 MiB", "1.0 GiB");
    tell("sys/fs/cgroup/system.slice/memory.max", "1073741824\n");
    told(Map.of("STRANDLINE_MEMORY", "cgroup"), "400.0 MiB", "200.0 MiB");
    told(
        Map.of(
            "STRANDLINE_MEMORY",
            "1g",
            "STRANDLINE_JAVA_OPTS",
            "-Xmx300m -Dx=y -XX:MaxDirectMemorySize=150m"),
        "300.0 MiB",
        "150.0 MiB");
    assertThat(memory(Map.of("STRANDLINE_MEMORY", "1g")).verdict()).isEqualTo(Verdict.OK);
    Finding tight = memory(Map.of("STRANDLINE_DIRECT", "800m"));
    assertThat(tight.verdict()).isEqualTo(Verdict.WARN);
    assertThat(tight.advice()).contains("STRANDLINE_DIRECT");
    Finding refused = memory(Map.of("STRANDLINE_MEMORY", "lots"));
    assertThat(refused.verdict()).isEqualTo(Verdict.FAIL);
    assertThat(refused.found()).contains("STRANDLINE_MEMORY=lots");
  }

  private void told(Map<String, String> environment, String heap, String direct)
      throws IOException {
    assertThat(memory(environment).found())
        .startsWith("heap " + heap + ", direct memory up to " + direct + " (as the launcher");
  }

  @Test
  void aNodeThatRunsIsFoundByItsFilesAndAskedInOurPlace() throws Exception {
    tell("proc/4711/cmdline", "java\0-Xmx12g\0io.strandline.broker.Main\0server\0");
    tell("proc/4711/limits", "Max open files            512    512   files\n");
    tell("proc/4711/cgroup", "0::/\n");
    Path fd = Files.createDirectories(root.resolve("proc/4711/fd"));
    Files.createSymbolicLink(fd.resolve("7"), data.toRealPath().resolve(".lock"));
    assertThat(limits().get(0).found()).contains("512 may be open in process 4711, 1 are");
    assertThat(memory(Map.of()).found()).contains("heap 12.0 GiB", "process 4711");
  }

  @Test
  void aClockIsComparedWithinWhatItsSecondsTell() {
    Instant now = Instant.parse("2026-01-01T12:00:00Z");
    Instant later = now.plusMillis(900);
    assertThat(Clocks.compare("c", "x", now, now, later).verdict()).isEqualTo(Verdict.OK);
    Finding ahead = Clocks.compare("c", "the store", now.minusSeconds(31), now, later);
    assertThat(ahead.verdict()).isEqualTo(Verdict.WARN);
    assertThat(ahead.found()).isEqualTo("30.0 s ahead of the store's");
    Finding behind = Clocks.compare("c", "the store", later.plusSeconds(90), now, later);
    assertThat(behind.verdict()).isEqualTo(Verdict.FAIL);
    assertThat(behind.found()).isEqualTo("90.0 s behind the store's");
  }

  @Test
  void theEnvironmentHoldsOverTheFile() throws Exception {
    Path file = dir.resolve("server.properties");
    Files.writeString(file, "log.dirs=/a\nstrandline.object.store=file:/b\nnode.id=1\n");
    NodeConfig config =
        NodeConfig.load(
            Optional.of(file),
            Map.of("STRANDLINE_LOG_DIRS", "/c, /d", "STRANDLINE_OBJECT_STORE", "file:/e"));
    assertThat(config.logDirectories()).containsExactly(Path.of("/c"), Path.of("/d"));
    assertThat(config.storeUri()).isEqualTo("file:/e");
    assertThat(config.get("node.id", "")).isEqualTo("1");
  }

  private void openFiles(int most) throws IOException {
    tell("proc/self/limits", "Max open files            " + most + "    " + most + "   files\n");
  }

  private void tell(String file, String text) throws IOException {
    Path there = root.resolve(file);
    Files.createDirectories(there.getParent());
    Files.writeString(there, text);
  }

  private NodeConfig config(Map<String, String> environment) throws IOException {
    Path file = dir.resolve("server.properties");
    Files.writeString(file, "log.dirs=" + data + "\n");
    return NodeConfig.load(Optional.of(file), environment);
  }

  private List<Finding> limits() throws IOException {
    return new LimitsCheck(config(Map.of()), root).run();
  }

  private Finding memory(Map<String, String> environment) throws IOException {
    return new MemoryCheck(config(environment), root).run().get(0);
  }
}
