package io.strandline.tiering.manifest;

import io.strandline.tiering.manifest.index.CorruptManifestException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicIdPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The last version known of each partition, one small file each. Only a hint: a lost, old or
 * damaged file costs a request and nothing else, so that nothing here is fsynced. Blocks on disk.
 */
final class VersionHints {
  private static final Logger LOG = LoggerFactory.getLogger(VersionHints.class);

  /** A version that was newest at a time by this broker's clock. */
  record Hint(ManifestVersion version, long seenMs) {}

  private final Supplier<Optional<Path>> place;

  VersionHints(Supplier<Optional<Path>> place) {
    this.place = place;
  }

  Optional<Hint> get(TopicIdPartition partition) {
    Optional<Path> directory = place.get();
    if (directory.isEmpty()) {
      return Optional.empty();
    }
    try {
      ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file(directory.get(), partition)));
      if (bytes.remaining() < Long.BYTES) {
        return Optional.empty();
      }
      long seenMs = bytes.getLong();
      return Optional.of(new Hint(VersionCodec.decode(partition, bytes), seenMs));
    } catch (NoSuchFileException none) {
      return Optional.empty();
    } catch (IOException | CorruptManifestException e) {
      LOG.atDebug().addKeyValue("partition", partition).setCause(e).log("manifest hint unreadable");
      return Optional.empty();
    }
  }

  void put(ManifestVersion version, long seenMs) {
    Optional<Path> directory = place.get();
    if (directory.isEmpty()) {
      return;
    }
    Path file = file(directory.get(), version.partition());
    // Unlike a name that readers know, a half-written one may be left behind: the next put reuses
    // it.
    Path half = file.resolveSibling(file.getFileName() + ".tmp");
    ByteBuffer time = ByteBuffer.allocate(Long.BYTES).putLong(seenMs).flip();
    ByteBuffer[] bytes = {time, VersionCodec.encode(version)};
    try {
      Files.createDirectories(directory.get());
      try (FileChannel out =
          FileChannel.open(
              half,
              StandardOpenOption.CREATE,
              StandardOpenOption.TRUNCATE_EXISTING,
              StandardOpenOption.WRITE)) {
        while (bytes[1].hasRemaining()) {
          out.write(bytes);
        }
      }
      Files.move(half, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      LOG.atDebug()
          .addKeyValue("partition", version.partition())
          .setCause(e)
          .log("manifest hint not written");
    }
  }

  private static Path file(Path directory, TopicIdPartition partition) {
    return directory.resolve(partition.topicId() + "-" + partition.partition() + ".manifest");
  }
}
