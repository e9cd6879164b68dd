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
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

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

  /** Starts a broker, uses and stops it; false when that does not give an archive. */
  private static boolean train(String classPath, Path archive) throws IOException {
    Path scratch = Files.createTempDirectory(HOME, "training");
    Path part = scratch.resolve("part.jsa");
    List<String> command =
        List.of(
            Jvm.java(),
            "-Xmx256m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-XX:ArchiveClassesAtExit=" + part,
            "-cp",
            classPath,
            "io.strandline.broker.Main",
            "--set",
            "listeners=PLAINTEXT://127.0.0.1:0",
            "--set",
            "strandline.admin.listener=127.0.0.1:0",
            "--set",
            "offsets.topic.num.partitions=1",
            "--set",
            "log.dirs=" + scratch.resolve("data"));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    Optional<String> ready;
    try (var said = process.inputReader()) {
      ready = said.lines().filter(line -> line.startsWith("Strandline is ready")).findFirst();
      ready.ifPresent(ClassData::use);
      process.toHandle().destroy(); // a process that is destroyed can no longer be read
      said.lines().forEach(line -> {});
    }
    if (ready.isEmpty() || !ended(process) || !Files.exists(part)) {
      return false;
    }
    Files.move(part, archive, StandardCopyOption.ATOMIC_MOVE);
    return true;
  }

  /** A record written and read by a group: classes that serve it are then among the shared ones. */
  private static void use(String ready) {
    Matcher address = Pattern.compile("127\\.0\\.0\\.1:\\d+").matcher(ready);
    if (!address.find()) {
      return;
    }
    Map<String, Object> settings =
        Map.of(
            "bootstrap.servers",
            address.group(),
            "group.id",
            "training",
            "auto.offset.reset",
            "earliest",
            "default.api.timeout.ms",
            20_000);
    StringDeserializer text = new StringDeserializer();
    try (KafkaProducer<String, String> producer =
            new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer());
        KafkaConsumer<String, String> consumer = new KafkaConsumer<>(settings, text, text)) {
      var unused = producer.send(new ProducerRecord<>("training", "value"));
      producer.flush();
      consumer.subscribe(List.of("training"));
      for (int i = 0; i < 200 && consumer.poll(Duration.ofMillis(100)).isEmpty(); i++) {
        // until the group has gathered
      }
      consumer.commitSync();
    }
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
