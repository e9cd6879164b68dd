package io.strandline.tests.docs;

import io.strandline.tools.Main;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine;

/**
 * Commands in the comments of files that are no pages: compose's, Terraform's, units, examples,
 * scripts. What they name is looked for: files, verbs of {@code strandline}, variables and outputs.
 */
final class Heads {
  private static final Pattern FILE =
      Pattern.compile("(?:^|[\\s(]|/opt/strandline/)((?:deploy|docs|etc)/[\\w./-]*\\w)");
  private static final Pattern VERB =
      Pattern.compile("^ {2,}(?:.*[\\s/])?strandline ([a-z][a-z-]*)");
  private static final Pattern VARIABLE = Pattern.compile("terraform .*-var (\\w+)=");
  private static final Pattern OUTPUT = Pattern.compile("terraform output (?:-\\w+ )*(\\w+)");
  private static final Pattern OF_THE_LAUNCHER = Pattern.compile("(?m)^  ([a-z][a-z |-]*)\\)$");

  private Heads() {}

  /** The comments of each such file, as a page of its name. */
  static List<Page> all() throws IOException {
    List<Page> heads = new ArrayList<>();
    for (String top : List.of("bin", "deploy", "etc")) {
      try (Stream<Path> files = Files.walk(Page.ROOT.resolve(top))) {
        for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
          String name = Page.ROOT.relativize(file).toString();
          if (!name.matches("(.*/)?(target|\\.terraform)/.*|.*\\.(md|json|xml|tfstate|backup)")) {
            heads.add(Page.of(name, comments(file)));
          }
        }
      }
    }
    return heads;
  }

  private static List<String> comments(Path file) throws IOException {
    return Files.readAllLines(file).stream()
        .map(String::strip)
        .filter(line -> line.startsWith("#") && !line.startsWith("#!"))
        .map(line -> line.substring(1))
        .toList();
  }

  /** What a comment names and is not there, beside what {@link BuildCommands} looks for. */
  static List<String> missing(Page head) throws IOException {
    List<String> missing = new ArrayList<>();
    Set<String> verbs = verbs();
    String text = Files.readString(Page.ROOT.resolve(head.name()));
    for (String line : head.lines()) {
      all(FILE, line).stream()
          .filter(file -> !Files.exists(Page.ROOT.resolve(file)))
          .forEach(file -> missing.add("file " + file));
      all(VERB, line).stream()
          .filter(verb -> !verbs.contains(verb))
          .forEach(verb -> missing.add("verb " + verb));
      all(VARIABLE, line).stream()
          .filter(name -> !text.contains("variable \"" + name + "\""))
          .forEach(name -> missing.add("variable " + name));
      all(OUTPUT, line).stream()
          .filter(name -> !text.contains("output \"" + name + "\""))
          .forEach(name -> missing.add("output " + name));
    }
    return missing.stream().map(what -> head.name() + ": there is no " + what).toList();
  }

  private static Set<String> verbs() throws IOException {
    Set<String> verbs = new TreeSet<>(new CommandLine(Main.class).getSubcommands().keySet());
    String launcher = Files.readString(Page.ROOT.resolve("bin/strandline"));
    for (String names : all(OF_THE_LAUNCHER, launcher)) {
      verbs.addAll(List.of(names.split(" \\| ")));
    }
    return verbs;
  }

  private static List<String> all(Pattern pattern, String text) {
    return pattern
        .matcher(text)
        .results()
        .map((MatchResult match) -> match.group(1))
        .collect(Collectors.toList());
  }
}
