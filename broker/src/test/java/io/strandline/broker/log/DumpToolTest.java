package io.strandline.broker.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.tools.DumpLogSegments;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Apache Kafka's own tool reads what we write and finds no fault (design D4). */
class DumpToolTest {
  private final Logs logs;

  DumpToolTest(@TempDir Path temp) {
    logs = new Logs(temp.resolve("d"));
  }

  @Test
  void everyFileOfALogIsKafkas() throws IOException {
    logs.segmentBytes(1500);
    PartitionLog log = logs.create();
    CompressionType[] codecs = CompressionType.values();
    for (int i = 0; i < 60; i++) {
      logs.nowMs += 1000;
      logs.append(log, Compression.of(codecs[i % codecs.length]).build(), i / 25, "v" + i, "w" + i);
      Transactions.write(logs, log, 40L + i % 3, i / 3, i % 2 == 0);
    }
    Path directory = log.path();
    log.directory().close(1);

    List<Path> files = files(directory);
    assertThat(files).anyMatch(f -> f.toString().endsWith(".txnindex"));
    for (Path file : files) {
      String told = dump(file);
      assertThat(told)
          .as(file.getFileName().toString())
          .doesNotContain("Mismatches")
          .doesNotContainPattern("  [0-9]+ is followed by")
          .doesNotContain("not valid")
          .doesNotContain("isvalid: false")
          .doesNotContain("Exception")
          .doesNotContain("Found timestamp mismatch")
          .doesNotContain("out of order")
          .doesNotContain("Indexed offset");
    }
    assertThat(files.stream().map(DumpToolTest::dump).collect(Collectors.joining()))
        .contains("compresscodec: zstd")
        .contains("endTxnMarker: ABORT")
        .contains("producerId: 41");
  }

  private static List<Path> files(Path directory) throws IOException {
    try (var files = Files.list(directory)) {
      return files
          .filter(f -> f.toString().matches(".*\\.(log|index|timeindex|txnindex|snapshot)"))
          .sorted()
          .toList();
    }
  }

  private static String dump(Path file) {
    PrintStream out = System.out;
    PrintStream err = System.err;
    ByteArrayOutputStream told = new ByteArrayOutputStream();
    try (PrintStream to = new PrintStream(told, true, StandardCharsets.UTF_8)) {
      System.setOut(to);
      System.setErr(to);
      DumpLogSegments.main(
          new String[] {"--files", file.toString(), "--deep-iteration", "--print-data-log"});
    } catch (IOException e) {
      return "Exception " + e;
    } finally {
      System.setOut(out);
      System.setErr(err);
    }
    return told.toString(StandardCharsets.UTF_8);
  }
}
