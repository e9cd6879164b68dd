package io.strandline.tests.process;

import java.io.DataInputStream;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.kafka.common.TopicPartition;

/** librdkafka through its command line, where the machine has it. */
public final class Kcat {
  private Kcat() {}

  public static boolean onPath() {
    String path = System.getenv("PATH");
    return path != null
        && Stream.of(path.split(File.pathSeparator))
            .anyMatch(p -> new File(p, "kcat").canExecute());
  }

  /** Lines as {@link PlainReader#read}. */
  static List<String> read(String bootstrap, String topic, int partitions)
      throws IOException, InterruptedException {
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < partitions; i++) {
      lines.add(i + " " + digest(bootstrap, topic, i).finish());
    }
    return lines;
  }

  /** kcat prints each value behind its length, as a big-endian int. */
  private static LineDigest digest(String bootstrap, String topic, int partition)
      throws IOException, InterruptedException {
    Process kcat =
        new ProcessBuilder(
                "kcat",
                "-C",
                "-q",
                "-e",
                "-b",
                bootstrap,
                "-t",
                topic,
                "-p",
                String.valueOf(partition),
                "-o",
                "0",
                "-f",
                "%R%s")
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    LineDigest digest = new LineDigest();
    try (DataInputStream in =
        new DataInputStream(new java.io.BufferedInputStream(kcat.getInputStream(), 1 << 16))) {
      int first = in.read();
      while (first >= 0) {
        int length = (first << 24) | (in.readUnsignedByte() << 16) | in.readUnsignedShort();
        digest.add(in.readNBytes(length));
        first = in.read();
      }
    }
    if (kcat.waitFor() != 0) {
      throw new IOException("kcat ended with " + kcat.exitValue());
    }
    return digest;
  }

  /** How many records a group of one member reads from the beginning on, until it has so many. */
  public static int readAsGroup(String bootstrap, String group, String topic, int count)
      throws IOException, InterruptedException {
    Process kcat =
        new ProcessBuilder(
                "kcat",
                "-q",
                "-b",
                bootstrap,
                "-X",
                "auto.offset.reset=earliest",
                "-c",
                String.valueOf(count),
                "-f",
                "%p %o\\n",
                "-G",
                group,
                topic)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    try (var out = kcat.getInputStream()) {
      String said = new String(out.readAllBytes(), StandardCharsets.UTF_8);
      if (kcat.waitFor() != 0) {
        throw new IOException("kcat ended with " + kcat.exitValue());
      }
      return (int) said.lines().distinct().count();
    }
  }

  /** What it says when it cannot read on from the offset, and ends; what it reads is not told. */
  public static String complaint(String bootstrap, TopicPartition from, long offset)
      throws IOException, InterruptedException {
    Process kcat =
        new ProcessBuilder(
                "kcat",
                "-C",
                "-q",
                "-e",
                "-b",
                bootstrap,
                "-t",
                from.topic(),
                "-p",
                String.valueOf(from.partition()),
                "-o",
                String.valueOf(offset))
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    try (var err = kcat.getErrorStream()) {
      String said = new String(err.readAllBytes(), StandardCharsets.UTF_8);
      return kcat.waitFor() + " " + said;
    }
  }

  /**
   * Starts to write the lines of its standard input, one record each, when all are there; ends when
   * all were acknowledged, or with a code of failure.
   */
  public static Process writer(String bootstrap, TopicPartition to) throws IOException {
    return new ProcessBuilder(
            "kcat",
            "-P",
            "-b",
            bootstrap,
            "-t",
            to.topic(),
            "-p",
            String.valueOf(to.partition()),
            "-X",
            "enable.idempotence=true",
            "-X",
            "retry.backoff.ms=100")
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .start();
  }
}
