package io.strandline.tests.fuzz;

import io.strandline.broker.socket.SocketUnderFuzz;
import io.strandline.tiering.manifest.ManifestConfig.Fencing;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every decoder under hostile bytes, the same ones in every build; {@code tests/fuzz} for more. */
class FuzzTest {
  @TempDir Path directory;

  @Test
  void segmentTail() throws IOException {
    Fuzz.run(new SegmentTailTarget(directory), 40_000);
  }

  @Test
  void manifest() {
    Fuzz.run(new ManifestTarget(Fencing.CHAIN), 4_000);
  }

  @Test
  void swappedManifest() {
    Fuzz.run(new ManifestTarget(Fencing.SWAP), 1_000);
  }

  @Test
  void leaderCheck() {
    Fuzz.run(new LeaderCheckTarget(), 15_000);
  }

  @Test
  void replayDecode() {
    Fuzz.run(new ReplayDecodeTarget(), 10_000);
  }

  @Test
  void frame() {
    Fuzz.run(new FrameTarget(new SocketUnderFuzz()), 3_000);
  }

  @Test
  void request() {
    Fuzz.run(new RequestTarget(new SocketUnderFuzz()), 60_000);
  }

  @Test
  void journal() throws IOException {
    Fuzz.run(new JournalTarget(directory), 1_000);
  }

  @Test
  void slab() throws IOException {
    Fuzz.run(new SlabTarget(directory), 1_500);
  }

  @Test
  void logFiles() throws IOException {
    Fuzz.run(new LogFilesTarget(directory), 500);
  }

  @Test
  void compact() {
    Fuzz.run(new CompactTarget(), 5_000);
  }
}
