package io.strandline.tests.docs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A page of the documentation, as far as the tests look at it: links, anchors, blocks of code.
 *
 * @param name its path from the root of the repository
 * @param lines its text
 * @param blocks fenced blocks of code, in their order
 */
record Page(String name, List<String> lines, List<Block> blocks) {
  /** Of the repository. */
  static final Path ROOT = Path.of("").toAbsolutePath().getParent();

  private static final String NOT_RUN = "*Not run by the tests: ";
  private static final Pattern HEADING = Pattern.compile("^#{1,6} +(.*?) *#*$");
  private static final Pattern LINK = Pattern.compile("!?\\[[^\\]]*\\]\\(([^)\\s]+)\\)");
  private static final Pattern CODE = Pattern.compile("`[^`]*`");

  /**
   * A fenced block.
   *
   * @param line of its fence, from 1
   * @param language what the fence names, empty if nothing
   * @param notRun why nothing of it is run, if the line above says so
   * @param follows whether nothing but blank lines stands between it and the block before
   */
  record Block(
      int line, String language, List<String> text, Optional<String> notRun, boolean follows) {
    boolean isCommands() {
      return language.equals("sh");
    }
  }

  /** All pages, by name. */
  static List<Page> all() throws IOException {
    try (Stream<Path> top = Files.list(ROOT);
        Stream<Path> docs = Files.walk(ROOT.resolve("docs"));
        Stream<Path> deploy = Files.walk(ROOT.resolve("deploy"))) {
      List<Page> pages = new ArrayList<>();
      for (Path file :
          Stream.of(top, docs, deploy)
              .flatMap(files -> files)
              .filter(file -> file.toString().endsWith(".md"))
              .filter(file -> !ROOT.relativize(file).toString().contains("target/"))
              .filter(file -> !file.toString().contains("/."))
              .sorted()
              .toList()) {
        pages.add(read(file));
      }
      return pages;
    }
  }

  /** One of them, by its path from the root. */
  static Page of(String name) throws IOException {
    return read(ROOT.resolve(name));
  }

  /** A page with this text. */
  static Page of(String name, List<String> lines) {
    return new Page(name, List.copyOf(lines), blocks(lines));
  }

  private static Page read(Path file) throws IOException {
    return of(ROOT.relativize(file).toString(), Files.readAllLines(file));
  }

  private static List<Block> blocks(List<String> lines) {
    List<Block> blocks = new ArrayList<>();
    boolean follows = false;
    Optional<String> notRun = Optional.empty();
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i).strip();
      if (line.startsWith("```")) {
        int indent = lines.get(i).indexOf('`');
        List<String> text = new ArrayList<>();
        int from = i + 1;
        for (i++; i < lines.size() && !lines.get(i).strip().equals("```"); i++) {
          text.add(lines.get(i).substring(Math.min(indent, lines.get(i).length())));
        }
        blocks.add(new Block(from, line.substring(3), List.copyOf(text), notRun, follows));
        follows = true;
        notRun = Optional.empty();
      } else if (!line.isEmpty()) {
        follows = false;
        notRun = reason(line);
      }
    }
    return List.copyOf(blocks);
  }

  private static Optional<String> reason(String line) {
    return line.startsWith(NOT_RUN) && line.endsWith(".*")
        ? Optional.of(line.substring(NOT_RUN.length(), line.length() - 2))
        : Optional.empty();
  }

  /** Lines outside of blocks, by number from 1. */
  Map<Integer, String> prose() {
    Map<Integer, String> prose = new HashMap<>();
    boolean inBlock = false;
    for (int i = 0; i < lines.size(); i++) {
      if (lines.get(i).strip().startsWith("```")) {
        inBlock = !inBlock;
      } else if (!inBlock) {
        prose.put(i + 1, lines.get(i));
      }
    }
    return prose;
  }

  /**
   * What its links name, relative to it, by the line they stand in; those to other sites left out.
   */
  Map<Integer, List<String>> links() {
    Map<Integer, List<String>> links = new HashMap<>();
    prose()
        .forEach(
            (number, line) -> {
              Matcher link = LINK.matcher(CODE.matcher(line).replaceAll(""));
              while (link.find()) {
                if (!link.group(1).matches("[a-z]+:.*")) {
                  links.computeIfAbsent(number, n -> new ArrayList<>()).add(link.group(1));
                }
              }
            });
    return links;
  }

  /** What its headings can be linked by, as GitHub and most site generators make it of them. */
  Set<String> anchors() {
    Map<Integer, String> prose = prose();
    Set<String> anchors = new LinkedHashSet<>();
    for (int i = 1; i <= lines.size(); i++) {
      Matcher heading = HEADING.matcher(prose.getOrDefault(i, ""));
      if (heading.matches()) {
        String anchor = anchor(heading.group(1));
        String unique = anchor;
        for (int n = 1; !anchors.add(unique); n++) {
          unique = anchor + "-" + n;
        }
      }
    }
    return anchors;
  }

  private static String anchor(String heading) {
    return heading
        .replaceAll("\\[([^\\]]*)\\]\\([^)]*\\)", "$1")
        .toLowerCase(Locale.ROOT)
        .replaceAll("[^\\p{L}\\p{N} _-]", "")
        .replace(' ', '-');
  }

  /** Lines that Markdown takes for code because they are indented, by number from 1. */
  List<Integer> indentedCode() {
    Map<Integer, String> prose = prose();
    List<Integer> found = new ArrayList<>();
    boolean inList = false;
    for (int i = 1; i <= lines.size(); i++) {
      String line = prose.getOrDefault(i, "text");
      if (line.matches(" {0,3}([-*+]|[0-9]+\\.) .*")) {
        inList = true;
      } else if (!line.isBlank() && !line.startsWith(" ")) {
        inList = false;
      }
      boolean afterBlank = prose.getOrDefault(i - 1, "").isBlank();
      int indent = inList ? 6 : 4;
      if (!line.isBlank() && afterBlank && line.startsWith(" ".repeat(indent))) {
        found.add(i);
      }
    }
    return found;
  }
}
