package io.strandline.tiering.store.file;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tiering.store.ObjectInfo;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.Payload;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What holds between processes, and when one is killed. */
class FileStoreProcessesTest {
  private static final int PROCESSES = 3;
  private static final int ROUNDS = 60;

  private static Process start(Path root, String name, String mode, int number) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx64m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-cp",
            System.getProperty("java.class.path"),
            FileStoreWriter.class.getName(),
            root.toString(),
            name,
            mode,
            Integer.toString(number))
        .redirectErrorStream(true)
        .start();
  }

  private static FileObjectStore open(Path root) {
    return new FileObjectStore(root, Runnable::run, InstantSource.system());
  }

  @Test
  void ofProcessesThatRaceOneWinsAndNoReplacementIsLost(@TempDir Path root) throws Exception {
    try (FileObjectStore store = open(root)) {
      store.put(FileStoreWriter.COUNTER, Payload.of(ByteBuffer.wrap(new byte[] {'0'}))).join();
      List<Process> processes = new ArrayList<>();
      for (int i = 0; i < PROCESSES; i++) {
        processes.add(start(root, "p" + i, "race", ROUNDS));
      }
      List<String> said = new ArrayList<>();
      for (Process process : processes) {
        try (BufferedReader output = process.inputReader()) {
          output.lines().forEach(said::add);
        }
        assertThat(process.waitFor()).as("%s", said).isZero();
      }
      assertThat(said).hasSize(ROUNDS).doesNotHaveDuplicates();
      ByteBuffer count = store.get(FileStoreWriter.COUNTER, 64).join();
      assertThat(StandardCharsets.UTF_8.decode(count).toString())
          .isEqualTo(Integer.toString(PROCESSES * ROUNDS));
    }
  }

  @Test
  void aKilledWriterLeavesWholeObjectsAndItsLeftoversAreSwept(@TempDir Path root) throws Exception {
    int bytes = 3_000_000;
    Process writer = start(root, "killed", "large", bytes);
    try (BufferedReader output = writer.inputReader()) {
      for (int i = 0; i < 12; i++) {
        assertThat(output.readLine()).isEqualTo("wrote " + i);
      }
      writer.destroyForcibly().waitFor();
    }
    try (FileObjectStore store = open(root)) {
      List<ObjectInfo> objects = store.list("large/", "", 1000).join().objects();
      assertThat(objects).hasSizeGreaterThanOrEqualTo(12);
      for (ObjectInfo object : objects) {
        ByteBuffer content = store.get(object.key(), bytes).join();
        assertThat(content.remaining()).isEqualTo(bytes);
        assertThat(content.mismatch(ByteBuffer.wrap(filled(content.get(0), bytes)))).isEqualTo(-1);
      }
      store.put(ObjectKey.of("next"), Payload.of(ByteBuffer.allocate(1))).join();
      try (Stream<Path> scratch = Files.list(root.resolve("~tmp"))) {
        assertThat(scratch.filter(Files::isDirectory)).hasSize(1);
      }
    }
  }

  private static byte[] filled(byte value, int bytes) {
    byte[] content = new byte[bytes];
    Arrays.fill(content, value);
    return content;
  }
}
