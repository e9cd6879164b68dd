package io.strandline.tests.process;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * Real bytes that every machine with a JDK has, line by line: the class files and resources of its
 * modules, in the order of their names. Lines end at {@code \n} and are cut at 16 KiB.
 */
final class Corpus {
  private static final int LINE_BYTES_MAX = 16 * 1024;

  private Corpus() {}

  /** Takes lines; says whether it wants more. */
  interface Sink {
    boolean line(byte[] bytes);
  }

  /**
   * Hands out lines until {@code limitBytes} of them are through; begins again at the first file
   * when the modules end.
   *
   * @return bytes handed out
   */
  static long lines(long limitBytes, Sink sink) throws IOException {
    FileSystem modules = FileSystems.getFileSystem(URI.create("jrt:/"));
    List<Path> files;
    try (Stream<Path> all = Files.walk(modules.getPath("/modules"))) {
      files = all.filter(Files::isRegularFile).sorted().toList();
    }
    Cutter cutter = new Cutter(limitBytes, sink);
    while (!cutter.full) {
      for (Path file : files) {
        if (cutter.full) {
          break;
        }
        try (InputStream in = Files.newInputStream(file)) {
          cutter.cut(in.readAllBytes());
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
    }
    return cutter.done;
  }

  /** Cuts files into lines. */
  private static final class Cutter {
    private final long limitBytes;
    private final Sink sink;
    private long done;
    private boolean full;

    Cutter(long limitBytes, Sink sink) {
      this.limitBytes = limitBytes;
      this.sink = sink;
    }

    void cut(byte[] file) {
      int start = 0;
      for (int i = 0; i < file.length && !full; i++) {
        if (file[i] == '\n' || i - start == LINE_BYTES_MAX) {
          emit(file, start, i);
          start = i + 1;
        }
      }
      if (start < file.length && !full) {
        emit(file, start, file.length);
      }
    }

    private void emit(byte[] file, int from, int to) {
      byte[] line = java.util.Arrays.copyOfRange(file, from, to);
      done += line.length;
      full = !sink.line(line) || done >= limitBytes;
    }
  }
}
