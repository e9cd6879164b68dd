package io.strandline.tests.docs;

import io.strandline.tests.process.Ports;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Assertions;

/**
 * Runs the commands of one page as its reader would: all of its {@code sh} blocks in order, in one
 * bash that ends with the first failure, in a fresh directory with {@code bin/strandline} and
 * Kafka's scripts at hand. What a {@code text} block right behind shows must be printed.
 *
 * <p>Two things are not as in the page. Ports are others, as many machines have something at 9092.
 * And {@code strandline server} or {@code cluster} in the foreground, for which a reader takes
 * another terminal, goes on in the background once it says that it is ready; they are stopped at
 * the end.
 */
final class PageRun implements AutoCloseable {
  private static final Pattern PORT =
      Pattern.compile(
          "(?<=127\\.0\\.0\\.1:|localhost:|0\\.0\\.0\\.0:|//:|--port |port=)([0-9]{4,5})\\b");

  private static final Pattern FOREGROUND =
      Pattern.compile(
          "^((?:\\w+=\\S+ )*)((?:bin/)?strandline (?:server|cluster)\\b(?!.*[&\\\\]$).*)$");

  private final Page page;
  private final Path home;
  private final Path directory;
  private final Map<String, String> ports = new HashMap<>();
  private final List<String> output = new ArrayList<>();

  PageRun(Page page, Path scratch) throws IOException {
    this.page = page;
    this.home = Files.createDirectories(scratch.resolve("home"));
    this.directory = Files.createDirectories(scratch.resolve("page"));
  }

  /** Blocks of a page that are to be run. */
  static List<Page.Block> blocks(Page page) {
    return page.blocks().stream()
        .filter(block -> block.isCommands() && block.notRun().isEmpty())
        .filter(block -> !BuildCommands.is(block))
        .toList();
  }

  /** What the commands of each block printed, standard error included. */
  List<String> output() {
    return List.copyOf(output);
  }

  /** Where the commands were run. */
  Path directory() {
    return directory;
  }

  /** Runs all blocks and holds what they print against what the page shows. */
  void run(long minutes) throws IOException, InterruptedException {
    choosePorts();
    new Workbench(home, directory).lay(ports);
    List<Page.Block> blocks = blocks(page);
    StringBuilder script = new StringBuilder("source " + home + "/prelude.sh\n");
    for (int i = 0; i < blocks.size(); i++) {
      script.append("exec > ").append(out(i)).append(" 2>&1\n");
      blocks.get(i).text().forEach(line -> script.append(terminal(moved(line))).append('\n'));
    }
    Files.writeString(home.resolve("page.sh"), script);
    Process shell =
        new ProcessBuilder("bash", "-eo", "pipefail", home.resolve("page.sh").toString())
            .directory(directory.toFile())
            .redirectInput(new java.io.File("/dev/null"))
            .redirectErrorStream(true)
            .redirectOutput(home.resolve("shell.out").toFile())
            .start();
    boolean ended = shell.waitFor(minutes, TimeUnit.MINUTES);
    if (!ended) {
      shell.destroyForcibly();
    }
    for (int i = 0; i < blocks.size() && Files.exists(out(i)); i++) {
      output.add(Files.readString(out(i)));
    }
    if (!ended || shell.exitValue() != 0) {
      Assertions.fail(failure(blocks, ended ? "exit code " + shell.exitValue() : "no end"));
    }
    blocks.forEach(block -> shown(block, blocks.indexOf(block)));
  }

  private String failure(List<Page.Block> blocks, String how) throws IOException {
    int last = output.size() - 1;
    String shell = Files.readString(home.resolve("shell.out"));
    return "%s:%d: %s%n%s%n%s%n%s"
        .formatted(
            page.name(),
            last < 0 ? 0 : blocks.get(last).line(),
            how,
            last < 0 ? "" : String.join("\n", blocks.get(last).text()),
            last < 0 ? "" : output.get(last),
            shell);
  }

  /** What stands in a {@code text} block right behind must be among what was printed, in order. */
  private void shown(Page.Block block, int number) {
    int next = page.blocks().indexOf(block) + 1;
    if (next >= page.blocks().size()) {
      return;
    }
    Page.Block text = page.blocks().get(next);
    if (!text.follows() || !text.language().equals("text")) {
      return;
    }
    String rest = output.get(number);
    for (String line : text.text()) {
      if (line.isBlank() || line.strip().equals("…")) {
        continue;
      }
      Matcher found = pattern(moved(line)).matcher(rest);
      if (!found.find()) {
        Assertions.fail(
            "%s:%d shows%n%s%nand that was not printed (any more) in%n%s"
                .formatted(page.name(), text.line(), line, output.get(number)));
      }
      rest = rest.substring(found.end());
    }
  }

  /** A line as shown: an ellipsis stands for anything, a run of blanks for any other. */
  private static Pattern pattern(String line) {
    String regex =
        Pattern.compile("…|\\s+|[^…\\s]+")
            .matcher(line.strip())
            .results()
            .map(
                part ->
                    part.group().equals("…")
                        ? ".*"
                        : part.group().isBlank() ? "\\s+" : Pattern.quote(part.group()))
            .collect(Collectors.joining());
    return Pattern.compile("(?m)^\\s*" + regex + "\\s*$");
  }

  private Path out(int block) {
    return home.resolve("block-" + block + ".out");
  }

  private void choosePorts() throws IOException {
    List<String> named = new ArrayList<>(List.of("9092", "9644"));
    blocks(page).stream()
        .flatMap(block -> block.text().stream())
        .forEach(line -> PORT.matcher(line).results().forEach(m -> named.add(m.group(1))));
    for (String port : named.stream().distinct().sorted().toList()) {
      String before = Integer.toString(Integer.parseInt(port) - 1);
      ports.put(port, ports.containsKey(before) ? next(ports.get(before)) : free());
    }
  }

  /** Neighbours stay neighbours, for a command may count on. */
  private static String next(String port) throws IOException {
    int next = Integer.parseInt(port) + 1;
    try (ServerSocket socket = new ServerSocket(next, 1, InetAddress.getLoopbackAddress())) {
      return Integer.toString(socket.getLocalPort());
    }
  }

  private static String free() throws IOException {
    return Integer.toString(Ports.free());
  }

  private String moved(String line) {
    return PORT.matcher(line)
        .replaceAll(m -> Objects.requireNonNullElse(ports.get(m.group(1)), m.group(1)));
  }

  private static String terminal(String line) {
    return FOREGROUND.matcher(line).replaceAll("$1terminal $2");
  }

  /** Ends what the page left running: only what it started. */
  @Override
  public void close() throws IOException {
    Path started = home.resolve("started");
    if (!Files.exists(started)) {
      return;
    }
    for (String pid : Files.readAllLines(started)) {
      ProcessHandle.of(Long.parseLong(pid)).ifPresent(PageRun::end);
    }
  }

  private static void end(ProcessHandle process) {
    process.destroy();
    try {
      process.onExit().get(60, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (java.util.concurrent.ExecutionException | java.util.concurrent.TimeoutException e) {
      process.destroyForcibly();
    }
  }
}
