package io.strandline.tools.doctor;

import java.io.IOException;
import java.io.Reader;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

/**
 * The directories of a node: there, writable, on a disk that keeps what it says, with room. Writes
 * a file of 4 KiB in each, forces it five times and removes it.
 */
final class DiskCheck implements Check {
  private static final int TRIES = 5;
  private static final int PROBE_BYTES = 4096;
  private static final long SLOW_NANOS = 50_000_000L;

  private static final Set<String> MEMORY = Set.of("tmpfs", "ramfs", "devtmpfs");
  private static final Set<String> REMOTE =
      Set.of(
          "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "glusterfs", "vboxsf", "virtiofs");
  private static final Set<String> LAYERED = Set.of("overlay", "overlayfs", "aufs");

  private final NodeConfig config;
  private final LongSupplier nanos;
  private final RandomGenerator random;

  DiskCheck(NodeConfig config, LongSupplier nanos, RandomGenerator random) {
    this.config = config;
    this.nanos = nanos;
    this.random = random;
  }

  @Override
  public List<Finding> run() throws IOException {
    List<Finding> findings = new ArrayList<>();
    for (Path directory : config.directories()) {
      String check = "disk " + directory;
      if (!Files.exists(directory)) {
        findings.add(missing(check, directory));
      } else if (!Files.isDirectory(directory)) {
        findings.add(Finding.fail(check, "it is no directory", "Name a directory in log.dirs."));
      } else {
        findings.add(forced(check, directory));
        findings.add(fileSystem(check + " type", directory));
        findings.add(room(check + " room", directory));
      }
    }
    findings.add(formatted());
    return findings;
  }

  private static Finding missing(String check, Path directory) {
    Path there = directory.toAbsolutePath();
    while (!Files.exists(there) && there.getParent() != null) {
      there = there.getParent();
    }
    return Files.isWritable(there)
        ? Finding.warn(
            check,
            "it is not there; the node would make it in " + there,
            "Is its disk mounted? If not, the node would fill the disk of " + there + ".")
        : Finding.fail(
            check,
            "it is not there, and " + there + " does not let it be made",
            "Mount its disk, or make it: install -d -o strandline " + directory);
  }

  private Finding forced(String check, Path directory) {
    byte[] name = new byte[8];
    random.nextBytes(name);
    Path file = directory.resolve(".doctor-" + HexFormat.of().formatHex(name));
    try {
      long[] times = new long[TRIES];
      try (FileChannel channel =
          FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        for (int i = 0; i < TRIES; i++) {
          channel.write(ByteBuffer.allocate(PROBE_BYTES), 0);
          long begun = nanos.getAsLong();
          channel.force(true);
          times[i] = nanos.getAsLong() - begun;
        }
      } finally {
        Files.deleteIfExists(file);
      }
      Arrays.sort(times);
      String found =
          "writable; fsync takes "
              + Quantity.nanos(times[TRIES / 2])
              + ", at most "
              + Quantity.nanos(times[TRIES - 1]);
      return times[TRIES / 2] < SLOW_NANOS
          ? Finding.ok(check, found)
          : Finding.warn(
              check,
              found,
              "A segment is forced when it is sealed, and all that changed when the node stops: give"
                  + " the node a disk of its own, or a faster one.");
    } catch (IOException e) {
      return Finding.fail(
          check,
          "it cannot be written: " + e,
          "Is it mounted read-only (findmnt -T "
              + directory
              + "), and the node's user's own? After"
              + " an error of the disk the kernel mounts it read-only: see dmesg.");
    }
  }

  private static Finding fileSystem(String check, Path directory) throws IOException {
    String type = Files.getFileStore(directory).type();
    if (MEMORY.contains(type)) {
      return Finding.fail(
          check,
          type + ": memory",
          "What is acknowledged is gone with the machine's next start: use a disk.");
    }
    if (REMOTE.contains(type) || type.startsWith("fuse")) {
      return Finding.fail(
          check,
          type + ": over the network or through a program",
          "Locks, fsync and renames may not hold there what they promise: use a local disk with ext4"
              + " or xfs. What must outlive the machine goes to the object store.");
    }
    return LAYERED.contains(type)
        ? Finding.warn(
            check,
            type + ": a layer of a container",
            "It goes with the container: mount a volume there.")
        : Finding.ok(check, type);
  }

  private Finding room(String check, Path directory) throws IOException {
    FileStore disk = Files.getFileStore(directory);
    long total = disk.getTotalSpace();
    long free = disk.getUsableSpace();
    FreeSpace limits = FreeSpace.of(config, total);
    String found = Quantity.bytes(free) + " of " + Quantity.bytes(total) + " free";
    if (free < limits.reserveBytes()) {
      return Finding.fail(
          check,
          found + ", less than the reserve of " + Quantity.bytes(limits.reserveBytes()),
          "Producers are refused. Free room beside the logs, lengthen the disk, or lower"
              + " local.retention.bytes; does the tier take what is sealed?");
    }
    if (free < limits.highBytes()) {
      return Finding.warn(
          check,
          found + ", less than the high watermark of " + Quantity.bytes(limits.highBytes()),
          "The oldest tiered segments go early. If it stays so: does the tier take what is sealed?"
              + " See strandline_tiering_lag_bytes.");
    }
    return Finding.ok(check, found);
  }

  /** Whether all directories are of one node of one cluster. */
  private Finding formatted() throws IOException {
    Map<String, Path> clusters = new HashMap<>();
    Map<String, Path> nodes = new HashMap<>();
    int unformatted = 0;
    for (Path directory : config.logDirectories()) {
      Path file = directory.resolve("meta.properties");
      if (!Files.exists(file)) {
        unformatted++;
        continue;
      }
      Properties properties = new Properties();
      try (Reader reader = Files.newBufferedReader(file)) {
        properties.load(reader);
      }
      clusters.put(properties.getProperty("cluster.id", ""), directory);
      nodes.put(properties.getProperty("node.id", ""), directory);
    }
    String id = config.get("node.id", "");
    if (clusters.size() > 1 || nodes.size() > 1) {
      return Finding.fail(
          "disk format",
          "directories of several nodes or clusters: " + clusters + " " + nodes,
          "One of log.dirs is another node's disk: mount the right one.");
    }
    if (!id.isEmpty() && !nodes.isEmpty() && !nodes.containsKey(id)) {
      return Finding.fail(
          "disk format",
          "formatted for node " + nodes.keySet() + ", and node.id is " + id,
          "The disk is another node's, or node.id was changed: put the right one back.");
    }
    if (clusters.isEmpty()) {
      return Finding.ok("disk format", "not formatted yet");
    }
    return unformatted == 0
        ? Finding.ok("disk format", "node " + nodes.keySet() + " of cluster " + clusters.keySet())
        : Finding.warn(
            "disk format",
            Quantity.some(unformatted, "directory") + " of log.dirs not formatted, others are",
            "A new disk, or a lost one? The node formats it when it starts, and fetches again what"
                + " was there.");
  }
}
