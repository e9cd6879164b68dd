package io.strandline.bench.meter;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StackTableTest {
  @TempDir Path dir;

  @Test
  void timeIsSummedByThreadPackageOwnerAndFrame() throws IOException {
    Path stacks = dir.resolve("stacks");
    Files.writeString(
        stacks,
        """
        [loop-1-2 tid=7];io/strandline/broker/log/Log.append;sun/nio/ch/IOUtil.write;vfs_write_[k] 60
        [loop-1-3 tid=8];io/strandline/broker/socket/Peer.parse 30
        [C2 CompilerThread0 tid=9];PhaseChaitin::Split 10
        """);

    assertThat(StackTable.read(stacks).render())
        .contains("| `loop N` | 90.0 |")
        .contains("| `C N CompilerThread N` | 10.0 |")
        .contains("| `kernel` | 60.0 |")
        .contains("| `io.strandline.broker.log` | 60.0 |")
        .contains("| `io.strandline.broker.socket` | 30.0 |")
        .contains("| `(native)` | 10.0 |")
        .contains("| `vfs_write_[k]` | 60.0 |");
  }
}
