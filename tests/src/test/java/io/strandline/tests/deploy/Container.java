package io.strandline.tests.deploy;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * What a container engine does with an image, done by hand, for where there is none: a root that
 * nobody can write to, a process tree and a {@code /tmp} of its own that forbids execution, one
 * volume, a limit of memory to read, the image's user without any capability. The network is this
 * machine's. Where the image has no JVM the machine's system lies below it.
 */
final class Container {
  private static final String SETUP =
      """
      set -euo pipefail
      root=$1 layers=$2 lower=$3 volume=$4 memory=$5 user=$6 group=$7 home=$8
      shift 8
      # The layers of an overlay must not lie in each other.
      mount -t tmpfs -o mode=755 tmpfs "$root"
      mkdir -m 755 "$root/layers"
      cp -a "$layers/." "$root/layers"
      mount -t overlay overlay -o "lowerdir=$root/layers:$lower" "$root"
      mount -t proc proc "$root/proc"
      mount --rbind /dev "$root/dev"
      mount -t tmpfs -o noexec,nosuid,nodev,mode=1777 tmpfs "$root/tmp"
      mount -t tmpfs tmpfs "$root/sys"
      mkdir -p "$root/sys/fs/cgroup"
      echo "$memory" > "$root/sys/fs/cgroup/memory.max"
      mount --bind "$volume" "$root/var/lib/strandline"
      exec env -i "${ENVIRONMENT[@]}" chroot "$root" setpriv --reuid="$user" --regid="$group" --clear-groups \\
        --no-new-privs --inh-caps=-all --bounding-set=-all sh -c 'cd "$0" && exec "$@"' "$home" "$@"
      """;

  private final ImageTar image;
  private final Map<String, String> environment;
  private final Path dir;
  private final Path out;
  private final Process process;

  private Container(ImageTar image, Map<String, String> environment, Path dir, Process process) {
    this.image = image;
    this.environment = environment;
    this.dir = dir;
    this.out = dir.resolve("out");
    this.process = process;
  }

  /** Skips the test where nobody may do what an engine does. */
  static void require() throws IOException, InterruptedException {
    assumeTrue(
        Commands.exists("setpriv")
            && Commands.run(
                        Path.of("/"), List.of("unshare", "-mp", "--fork", "chroot", "/", "true"))
                    .exitCode()
                == 0,
        "SKIPPED: not root, or no unshare and setpriv here");
  }

  /**
   * Starts the image's entrypoint with its arguments.
   *
   * @param volume a directory for its volume
   * @param memory its limit in bytes
   * @param more environment variables, over the image's
   */
  static Container start(
      ImageTar image, Path dir, Path volume, long memory, Map<String, String> more)
      throws IOException {
    Path root = Files.createDirectory(dir.resolve("root"));
    boolean whole = Files.exists(image.root().resolve("bin/sh"));
    Files.setPosixFilePermissions(image.root(), PosixFilePermissions.fromString("rwxr-xr-x"));
    // A read-only overlay takes two directories at least.
    Path nothing = Files.createDirectory(dir.resolve("nothing"));
    String lower = whole ? nothing.toString() : "/";
    Map<String, String> environment = new TreeMap<>(image.environment());
    environment.putIfAbsent("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    environment.putAll(more);
    StringBuilder setup = new StringBuilder("ENVIRONMENT=(");
    environment.forEach((k, v) -> setup.append(" '").append(k).append('=').append(v).append("'"));
    setup.append(")\n").append(SETUP);
    List<String> command = new ArrayList<>(List.of("unshare", "-mp", "--fork"));
    command.addAll(List.of("--kill-child=SIGKILL", "bash", "-c", setup.toString(), "container"));
    String[] user = image.text("User").split(":");
    command.addAll(List.of(root.toString(), image.root().toString(), lower));
    command.addAll(List.of(volume.toString(), Long.toString(memory)));
    command.addAll(List.of(user[0], user[1], image.text("WorkingDir")));
    command.addAll(image.list("Entrypoint"));
    command.addAll(image.list("Cmd"));
    Process process =
        new ProcessBuilder(command)
            .directory(dir.toFile())
            .redirectErrorStream(true)
            .redirectOutput(dir.resolve("out").toFile())
            .start();
    return new Container(image, environment, dir, process);
  }

  String output() throws IOException {
    return Files.readString(out);
  }

  boolean runs() {
    return process.isAlive();
  }

  /** What is process 1 inside. */
  ProcessHandle first() {
    return process.children().findFirst().orElseThrow();
  }

  /** Runs a command beside it, in the same root, as the same user. */
  Commands.Ended exec(List<String> command) throws IOException, InterruptedException {
    String[] user = image.text("User").split(":");
    List<String> all = new ArrayList<>();
    all.addAll(List.of("nsenter", "-t", Long.toString(first().pid()), "-m", "-p"));
    all.addAll(List.of("chroot", dir.resolve("root").toString()));
    all.addAll(List.of("setpriv", "--reuid=" + user[0], "--regid=" + user[1], "--clear-groups"));
    all.addAll(command);
    return Commands.run(dir, environment, all);
  }

  /** SIGTERM, then SIGKILL where that does not help. */
  int stop() throws InterruptedException {
    process.children().forEach(ProcessHandle::destroy);
    if (!process.waitFor(60, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new AssertionError("did not stop at SIGTERM");
    }
    return process.exitValue();
  }

  void kill() throws InterruptedException {
    process.children().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly().waitFor();
  }
}
