package io.strandline.tests.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.LineMap;
import com.sun.source.tree.MethodTree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.SourcePositions;
import com.sun.source.util.TreePathScanner;
import com.sun.source.util.Trees;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Sizes a reader can hold in mind. What is larger today stands in {@code budget-exceptions.txt}
 * with its size and may only shrink: an exception that is no longer needed, or larger than needed,
 * fails too.
 */
class BudgetTest {
  private static final int FILE_LINES_MAX = 500;
  private static final int FILE_LINES_P95 = 350;
  private static final int METHOD_LINES_MAX = 60;
  private static final int METHOD_LINES_P95 = 25;
  private static final int PARAMETERS_MAX = 5;
  private static final int TYPES_PER_PACKAGE_MAX = 20;
  private static final List<String> MODULES =
      List.of("cache", "tiering", "replay", "broker", "tools");

  private final Path root = Path.of("..").toAbsolutePath().normalize();

  /** A measured thing: a file, a method, a package. */
  private record Measure(String kind, String name, int size) {}

  @Test
  void nothingIsLargerThanItsBudgetOrItsDatedException() throws IOException {
    List<Measure> measures = measure();
    Map<String, Integer> exceptions = exceptions();
    List<String> complaints = new ArrayList<>();
    for (Measure m : measures) {
      String key = m.kind + " " + m.name;
      Integer exception = exceptions.remove(key);
      int allowed = exception == null ? limit(m.kind) : exception;
      if (m.size > allowed) {
        complaints.add(key + " is " + m.size + ", allowed " + allowed);
      } else if (exception != null && m.size < exception) {
        complaints.add(
            key + " shrank to " + m.size + ": lower or remove its exception of " + exception);
      }
    }
    exceptions.keySet().forEach(key -> complaints.add(key + " is excepted but does not exist"));
    assertThat(complaints).isEmpty();
  }

  @Test
  void mostFilesAndMethodsAreFarBelowTheLimit() throws IOException {
    List<Measure> measures = measure();
    assertThat(percentile95(measures, "file"))
        .as("file lines, p95")
        .isLessThanOrEqualTo(FILE_LINES_P95);
    assertThat(percentile95(measures, "method"))
        .as("method lines, p95")
        .isLessThanOrEqualTo(METHOD_LINES_P95);
  }

  private static int limit(String kind) {
    return switch (kind) {
      case "file" -> FILE_LINES_MAX;
      case "method" -> METHOD_LINES_MAX;
      case "parameters" -> PARAMETERS_MAX;
      case "types" -> TYPES_PER_PACKAGE_MAX;
      default -> throw new IllegalArgumentException(kind);
    };
  }

  private static int percentile95(List<Measure> measures, String kind) {
    List<Integer> sizes =
        measures.stream().filter(m -> m.kind.equals(kind)).map(Measure::size).sorted().toList();
    return sizes.isEmpty() ? 0 : sizes.get((int) Math.ceil(sizes.size() * 0.95) - 1);
  }

  private Map<String, Integer> exceptions() throws IOException {
    Map<String, Integer> exceptions = new TreeMap<>();
    for (String line : Files.readAllLines(Path.of("src/test/resources/budget-exceptions.txt"))) {
      if (!line.isBlank() && !line.startsWith("#")) {
        String[] words = line.trim().split("\\s+", 4);
        exceptions.put(words[1] + " " + words[2], Integer.parseInt(words[3]));
      }
    }
    return exceptions;
  }

  private List<Measure> measure() throws IOException {
    List<Path> sources = new ArrayList<>();
    for (String module : MODULES) {
      Path main = root.resolve(module).resolve("src/main/java");
      if (Files.isDirectory(main)) {
        try (Stream<Path> files = Files.walk(main)) {
          files.filter(f -> f.toString().endsWith(".java")).forEach(sources::add);
        }
      }
    }
    List<Measure> measures = new ArrayList<>();
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    try (var manager = compiler.getStandardFileManager(null, null, null)) {
      JavacTask task =
          (JavacTask)
              compiler.getTask(
                  null,
                  manager,
                  d -> {},
                  List.of("-proc:none"),
                  null,
                  manager.getJavaFileObjectsFromPaths(sources));
      Trees trees = Trees.instance(task);
      for (CompilationUnitTree unit : task.parse()) {
        new Ruler(unit, trees.getSourcePositions(), measures).scan(unit, null);
      }
    }
    typesPerPackage(sources, measures);
    return measures;
  }

  private void typesPerPackage(List<Path> sources, List<Measure> measures) {
    Map<String, Long> types =
        sources.stream()
            .filter(f -> !f.endsWith("package-info.java"))
            .collect(
                Collectors.groupingBy(
                    f -> root.relativize(f.getParent()).toString(), Collectors.counting()));
    types.forEach((name, count) -> measures.add(new Measure("types", name, count.intValue())));
  }

  /** Measures the lines of a file and of its methods, and counts parameters. */
  private final class Ruler extends TreePathScanner<@Nullable Void, @Nullable Void> {
    private final CompilationUnitTree unit;
    private final SourcePositions positions;
    private final List<Measure> measures;
    private final String file;

    Ruler(CompilationUnitTree unit, SourcePositions positions, List<Measure> measures)
        throws IOException {
      this.unit = unit;
      this.positions = positions;
      this.measures = measures;
      Path path = Path.of(unit.getSourceFile().toUri());
      this.file = root.relativize(path).toString();
      measures.add(new Measure("file", file, Files.readAllLines(path).size()));
    }

    @Override
    public @Nullable Void visitMethod(MethodTree method, @Nullable Void unused) {
      if (method.getBody() != null) {
        LineMap lines = unit.getLineMap();
        long first = lines.getLineNumber(positions.getStartPosition(unit, method.getBody()));
        long last = lines.getLineNumber(positions.getEndPosition(unit, method.getBody()));
        measures.add(new Measure("method", name(method), (int) (last - first + 1)));
      }
      if (!isRecordConstructor(method)) {
        measures.add(new Measure("parameters", name(method), method.getParameters().size()));
      }
      return super.visitMethod(method, null);
    }

    private boolean isRecordConstructor(MethodTree method) {
      return method.getName().contentEquals("<init>")
          && getCurrentPath().getParentPath().getLeaf() instanceof ClassTree type
          && type.getKind() == com.sun.source.tree.Tree.Kind.RECORD;
    }

    private String name(MethodTree method) {
      String type =
          getCurrentPath().getParentPath().getLeaf() instanceof ClassTree c
              ? c.getSimpleName().toString()
              : "";
      String types =
          method.getParameters().stream()
              .map(p -> String.valueOf(p.getType()).replace(" ", ""))
              .collect(Collectors.joining(","));
      return file + "#" + type + "." + method.getName() + "(" + types + ")";
    }
  }

  @Test
  void theRulerMeasures() throws IOException {
    List<Measure> measures = measure();
    assertThat(measures.stream().map(Measure::kind).distinct().toList())
        .containsExactlyInAnyOrder("file", "method", "parameters", "types");
    assertThat(Collections.max(measures.stream().map(Measure::size).toList())).isPositive();
  }
}
