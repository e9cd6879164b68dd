package io.strandline.tests.docs;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What a page's commands find: a home with the launcher as it is and one jar that stands for the
 * class path of this JVM, {@code bin/strandline} in the page's directory, Kafka's scripts by name.
 */
record Workbench(Path home, Path directory) {
  /** Kafka's own scripts that pages name and the distribution has not, and what they start. */
  private static final Map<String, String> SCRIPTS =
      Map.of("kafka-storage.sh", "kafka.tools.StorageTool", "kafka-server-start.sh", "kafka.Kafka");

  /** Lays everything out; ports as the page names them, to those that are taken instead. */
  void lay(Map<String, String> ports) throws IOException {
    Path bin = Files.createDirectories(home.resolve("bin"));
    Path lib = Files.createDirectories(home.resolve("lib"));
    copyExecutable(Page.ROOT.resolve("bin/strandline"), bin.resolve("strandline"));
    jar(lib.resolve("class-path.jar"));
    Path path = Files.createDirectories(home.resolve("path"));
    executable(path.resolve("strandline"), launcher(ports));
    try (Stream<Path> ours = Files.list(Page.ROOT.resolve("bin"))) {
      for (Path script : ours.filter(f -> f.toString().endsWith(".sh")).toList()) {
        copyExecutable(script, path.resolve(script.getFileName()));
      }
    }
    for (Map.Entry<String, String> script : SCRIPTS.entrySet()) {
      executable(path.resolve(script.getKey()), kafka(script.getValue()));
    }
    Files.createDirectories(directory.resolve("bin"));
    Files.createSymbolicLink(directory.resolve("bin/strandline"), path.resolve("strandline"));
    Files.writeString(home.resolve("prelude.sh"), prelude(path));
  }

  private static void jar(Path file) throws IOException {
    Manifest manifest = new Manifest();
    Attributes attributes = manifest.getMainAttributes();
    attributes.put(Attributes.Name.MANIFEST_VERSION, "1.0");
    attributes.put(
        Attributes.Name.CLASS_PATH,
        Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
            .map(entry -> Path.of(entry).toUri().toString())
            .collect(Collectors.joining(" ")));
    try (OutputStream out = Files.newOutputStream(file);
        JarOutputStream jar = new JarOutputStream(out, manifest)) {
      jar.finish();
    }
  }

  /** Gives a server that names no ports of its own free ones, and writes down its process. */
  private String launcher(Map<String, String> ports) {
    return """
        #!/usr/bin/env bash
        given="$* $(cat "$(sed -n 's/.*--config \\([^ ]*\\).*/\\1/p' <<< "$*")" 2> /dev/null)"
        more=()
        case "${1:-}" in
          server)
            [[ $given == *listeners=* ]] || more+=(--set listeners=PLAINTEXT://127.0.0.1:%1$s)
            [[ $given == *admin.listener=* ]] || more+=(--set strandline.admin.listener=127.0.0.1:%2$s)
            echo $$ >> %3$s/started ;;
          cluster)
            [[ $given == *--port* ]] || more+=(--port %1$s)
            echo $$ >> %3$s/started ;;
          topics|produce|consume|groups|brokers|balance)
            [[ $given == *-b\\ * || $given == *--bootstrap* || $# == 1 || $given == *--help* ]] \\
              || more+=(--bootstrap 127.0.0.1:%1$s) ;;
        esac
        exec %3$s/bin/strandline "$@" "${more[@]}"
        """
        .formatted(ports.get("9092"), ports.get("9644"), home);
  }

  private String kafka(String main) {
    return """
        #!/usr/bin/env bash
        if [[ $0 == *-start.sh ]]; then echo $$ >> %1$s/started; fi
        exec java -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \\
          -Dlogback.configurationFile=logback-tools.xml -cp %1$s/lib/class-path.jar %2$s "$@"
        """
        .formatted(home, main);
  }

  private String prelude(Path path) {
    return """
        export PATH=%1$s:$PATH STRANDLINE_JAVA_OPTS=-XX:TieredStopAtLevel=1
        # To make an archive of class data, in a directory that is not there, would cost more than it gives.
        export STRANDLINE_CLASS_DATA=%2$s/none
        # Another terminal: until it is ready, or ended.
        terminal() {
          local out=$(mktemp %2$s/terminal.XXXXXX)
          if [ -n "${there:-}" ]; then kill $there; wait $there; fi
          "$@" > "$out" 2>&1 < /dev/null &
          there=$!
          until grep -qE '^(Strandline is ready|Ctrl-C stops)' "$out"; do
            kill -0 $there || { cat "$out"; return 1; }
            sleep 0.1
          done
          cat "$out"
        }
        """
        .formatted(path, home);
  }

  private static void copyExecutable(Path from, Path to) throws IOException {
    executable(to, Files.readString(from));
  }

  private static void executable(Path file, String text) throws IOException {
    Files.writeString(file, text);
    if (!file.toFile().setExecutable(true)) {
      throw new IOException("cannot be made executable: " + file);
    }
  }
}
