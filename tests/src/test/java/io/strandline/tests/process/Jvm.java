package io.strandline.tests.process;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** How a test starts another JVM: on its own class path, small, and up soon. */
public final class Jvm {
  private Jvm() {}

  /** The JVM that the test runs in. */
  public static String java() {
    return Path.of(System.getProperty("java.home"), "bin", "java").toString();
  }

  /** Native libraries and the like that a process unpacks, and leaves there when it is killed. */
  public static String temporaryFilesIn(Path directory) throws IOException {
    return "-Djava.io.tmpdir=" + Files.createDirectories(directory.toAbsolutePath());
  }

  /** The test's class path, for who gives a JVM options of his own. */
  public static List<String> classPath() {
    ClassData shared = ClassData.ofThisBuild();
    List<String> options = new ArrayList<>(shared.options);
    options.addAll(List.of("-cp", shared.classPath));
    return options;
  }

  /**
   * A command, to be added to.
   *
   * @param before options of the JVM, the heap's size first of all
   */
  public static List<String> command(String main, String... before) {
    List<String> command = new ArrayList<>();
    command.add(java());
    command.addAll(List.of(before));
    command.addAll(List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
    command.addAll(classPath());
    command.add(main);
    return command;
  }
}
