package io.strandline.tests.process;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Class data that the processes of a build share, which spares each start a second of a processor
 * (JEP 350). It wants a class path of jars: of a build that packages the modules before it tests
 * them there is one once this module's own classes are in a jar too; without, nothing is shared.
 */
final class ClassData {
  private static final Path HOME = Path.of("target", "class-data").toAbsolutePath();
  private static final ClassData OF_THIS_BUILD = prepare();

  /** To be given to each JVM as it is. */
  final String classPath;

  final List<String> options;

  private ClassData(String classPath, List<String> options) {
    this.classPath = classPath;
    this.options = options;
  }

  static ClassData ofThisBuild() {
    return OF_THIS_BUILD;
  }

  private static ClassData prepare() {
    String given = System.getProperty("java.class.path");
    List<Path> entries =
        Stream.of(given.split(File.pathSeparator)).map(Path::of).filter(Files::exists).toList();
    if (entries.stream().anyMatch(entry -> Files.isDirectory(entry) && !ours(entry))) {
      return new ClassData(given, List.of());
    }
    try {
      Files.createDirectories(HOME);
      try (FileChannel lock = open(HOME.resolve("lock"));
          FileLock held = lock.lock()) { // of the forks of one build, the first makes it
        List<String> jars = new ArrayList<>();
        for (Path entry : entries) {
          jars.add((Files.isDirectory(entry) ? jar(entry) : entry).toString());
        }
        String classPath = String.join(File.pathSeparator, jars);
        Path archive = HOME.resolve("server-" + stamp(jars.stream().map(Path::of)) + ".jsa");
        boolean there = Files.exists(archive) || train(classPath, archive);
        return new ClassData(
            classPath,
            there
                ? List.of("-Xshare:auto", "-XX:SharedArchiveFile=" + archive, "-Xlog:cds*=off")
                : List.of());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static boolean ours(Path directory) {
    return directory.toAbsolutePath().startsWith(Path.of("target").toAbsolutePath());
  }

  private static FileChannel open(Path file) throws IOException {
    return FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
  }

  private static Path jar(Path directory) throws IOException {
    List<Path> files = files(directory);
    Path jar = HOME.resolve(directory.getFileName() + "-" + stamp(files.stream()) + ".jar");
    if (Files.exists(jar)) {
      return jar;
    }
    Path part = HOME.resolve(jar.getFileName() + ".part");
    try (OutputStream out = Files.newOutputStream(part);
        ZipOutputStream zip = new ZipOutputStream(out)) {
      zip.setLevel(1);
      for (Path file : files) {
        zip.putNextEntry(new ZipEntry(directory.relativize(file).toString()));
        Files.copy(file, zip);
      }
    }
    return Files.move(part, jar, StandardCopyOption.ATOMIC_MOVE);
  }

  private static List<Path> files(Path directory) throws IOException {
    try (Stream<Path> walk = Files.walk(directory)) {
      return walk.filter(Files::isRegularFile).sorted().toList();
    }
  }

  /** Tells these files, as they are, and this JVM from all others. */
  private static String stamp(Stream<Path> files) throws IOException {
    StringBuilder all = new StringBuilder(System.getProperty("java.vm.version"));
    for (Path file : files.toList()) {
      all.append(file).append(Files.size(file)).append(Files.getLastModifiedTime(file).toMillis());
    }
    CRC32 sum = new CRC32();
    sum.update(all.toString().getBytes(StandardCharsets.UTF_8));
    return Long.toHexString(sum.getValue());
  }

  /** A broker that is its own client for a moment; false when that does not give an archive. */
  private static boolean train(String classPath, Path archive) throws IOException {
    Path scratch = Files.createTempDirectory(HOME, "training");
    Path part = scratch.resolve("part.jsa");
    Process process =
        new ProcessBuilder(
                Jvm.java(),
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-XX:ArchiveClassesAtExit=" + part,
                "-cp",
                classPath,
                "io.strandline.broker.Main",
                "rehearse",
                scratch.resolve("data").toString())
            .redirectErrorStream(true)
            .redirectOutput(scratch.resolve("out").toFile())
            .start();
    if (!ended(process) || !Files.exists(part)) {
      return false;
    }
    Files.move(part, archive, StandardCopyOption.ATOMIC_MOVE);
    return true;
  }

  private static boolean ended(Process process) {
    try {
      return process.waitFor(60, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
