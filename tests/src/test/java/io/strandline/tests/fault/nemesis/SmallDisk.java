package io.strandline.tests.fault.nemesis;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A file system of its own in memory, which only root can mount, and which can be filled. */
final class SmallDisk implements AutoCloseable {
  private static final int PIECE_BYTES = 1 << 20;

  private final Path at;

  private SmallDisk(Path at) {
    this.at = at;
  }

  /** Whether there can be one on this machine. */
  static boolean possible(Path dir) throws IOException, InterruptedException {
    Path trial = Files.createDirectories(dir);
    boolean can = run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", trial.toString()) == 0;
    if (can) {
      run("umount", trial.toString());
    }
    return can;
  }

  static SmallDisk mount(Path at, int mib) throws IOException, InterruptedException {
    Files.createDirectories(at);
    if (run("mount", "-t", "tmpfs", "-o", "size=" + mib + "m", "tmpfs", at.toString()) != 0) {
      throw new IOException("can not mount at " + at);
    }
    return new SmallDisk(at);
  }

  /** To the last byte, but for this many MiB. */
  void fill(int leaveMib) throws IOException {
    long left = Files.getFileStore(at).getUsableSpace() - ((long) leaveMib << 20);
    try (var out = Files.newOutputStream(at.resolve("filler"))) {
      byte[] piece = new byte[PIECE_BYTES];
      for (; left > 0; left -= PIECE_BYTES) {
        out.write(piece, 0, (int) Math.min(left, PIECE_BYTES));
      }
    } catch (IOException full) {
      // As it is to be.
    }
  }

  /** What filled it goes. */
  void free() throws IOException {
    Files.deleteIfExists(at.resolve("filler"));
  }

  @Override
  public void close() throws IOException {
    try {
      run("umount", "-l", at.toString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static int run(String... command) throws IOException, InterruptedException {
    return new ProcessBuilder(List.of(command))
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .start()
        .waitFor();
  }
}
