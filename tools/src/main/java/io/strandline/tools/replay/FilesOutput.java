package io.strandline.tools.replay;

import io.strandline.replay.job.HistoryRecord;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * A file for each partition, {@code <topic>-<partition>.<extension>}. A resumed job cuts each back
 * to what its checkpoint says, so that every record stands there once.
 */
public final class FilesOutput implements RecordOutput {
  private final Path directory;
  private final String topic;
  private final RecordFormat format;
  private final Map<Integer, Mark> resume = new ConcurrentHashMap<>();
  private final Map<Integer, PartitionFile> files = new ConcurrentHashMap<>();

  /**
   * @param resume where files of an earlier run go on; others must not be there yet
   */
  public FilesOutput(Path directory, String topic, RecordFormat format, Map<Integer, Mark> resume)
      throws IOException {
    this.directory = Files.createDirectories(directory);
    this.topic = topic;
    this.format = format;
    this.resume.putAll(resume);
  }

  /**
   * Takes partitions on whose files no earlier run has begun: they must not be there yet. From now
   * on what lies there is this job's, and a later run may cut it back.
   *
   * @param nextOffsets where the job begins, by partition
   * @return marks to be saved before anything is written
   * @throws FileAlreadyExistsException if there is a file that no mark tells of
   */
  public Map<Integer, Mark> begin(Map<Integer, Long> nextOffsets) throws IOException {
    for (int partition : nextOffsets.keySet()) {
      Path path = path(partition);
      if (!resume.containsKey(partition) && Files.exists(path)) {
        throw new FileAlreadyExistsException(path + " is there already, and not of this job");
      }
    }
    nextOffsets.forEach((partition, next) -> resume.putIfAbsent(partition, new Mark(next, 0)));
    return Map.copyOf(resume);
  }

  private Path path(int partition) {
    return directory.resolve(topic + "-" + partition + "." + format.extension());
  }

  @Override
  public void accept(int partition, List<HistoryRecord> records) throws IOException {
    try {
      files.computeIfAbsent(partition, this::open).write(records);
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  @Override
  public Map<Integer, Mark> flush() throws IOException {
    Map<Integer, Mark> marks = new TreeMap<>(resume);
    for (Map.Entry<Integer, PartitionFile> file : files.entrySet()) {
      marks.put(file.getKey(), file.getValue().flush());
    }
    return marks;
  }

  @Override
  public void close() throws IOException {
    for (PartitionFile file : files.values()) {
      file.close();
    }
  }

  private PartitionFile open(int partition) {
    try {
      Path path = path(partition);
      Mark from = resume.get(partition);
      if (from == null) {
        FileChannel fresh =
            FileChannel.open(path, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW);
        return new PartitionFile(fresh, new Mark(0, 0));
      }
      // One of which nothing was marked may have been killed before it had a file.
      FileChannel known =
          from.bytes() == 0
              ? FileChannel.open(path, StandardOpenOption.WRITE, StandardOpenOption.CREATE)
              : FileChannel.open(path, StandardOpenOption.WRITE);
      if (known.size() < from.bytes()) {
        known.close();
        throw new IOException(path + " is shorter than its checkpoint says");
      }
      known.truncate(from.bytes()).position(from.bytes());
      return new PartitionFile(known, from);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** One partition's. */
  private final class PartitionFile {
    private final FileChannel channel;
    private final OutputStream out;
    private long nextOffset;
    private @Nullable IOException failed; // a part of something may be there: nothing more is safe

    PartitionFile(FileChannel channel, Mark from) {
      this.channel = channel;
      this.out = new BufferedOutputStream(Channels.newOutputStream(channel), 1 << 16);
      this.nextOffset = from.nextOffset();
    }

    synchronized void write(List<HistoryRecord> records) throws IOException {
      throwFailure();
      try {
        for (HistoryRecord record : records) {
          format.write(record, out);
        }
      } catch (IOException e) {
        failed = e;
        throw e;
      }
      nextOffset = records.get(records.size() - 1).offset() + 1;
    }

    synchronized Mark flush() throws IOException {
      throwFailure();
      try {
        out.flush();
        channel.force(true);
        return new Mark(nextOffset, channel.position());
      } catch (IOException e) {
        failed = e;
        throw e;
      }
    }

    synchronized void close() throws IOException {
      try (channel) {
        if (failed == null) {
          out.flush();
        }
      }
    }

    private void throwFailure() throws IOException {
      if (failed != null) {
        throw failed;
      }
    }
  }
}
