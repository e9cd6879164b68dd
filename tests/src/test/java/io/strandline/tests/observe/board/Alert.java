package io.strandline.tests.observe.board;

import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * A rule that tells somebody.
 *
 * @param name in words run together; several of one name have the same runbook and never fire
 *     together
 * @param lasts how long it must hold, as Prometheus writes times
 * @param expr PromQL
 * @param said one sentence, with labels in double braces of the template
 * @param ills series by which it fires, and labels that it fires with
 */
record Alert(
    String name, Severity severity, String lasts, String expr, String said, List<Ill> ills) {
  Alert(String name, Severity severity, String lasts, String expr, String said, Ill ill) {
    this(name, severity, lasts, expr, said, List.of(ill));
  }

  /** Who is told, and when. */
  enum Severity {
    /** At night too: something does not work, or will not before the morning. */
    PAGE,
    /** In working hours. */
    TICKET;

    String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * Series, as promtool's tests write them, after an hour of which the alert fires.
   *
   * @param labels that it fires with, as YAML
   * @param said what it says then
   * @param series name with labels, and values, in turn
   */
  record Ill(String labels, String said, List<String> series) {}

  static Ill ill(String labels, String said, String... series) {
    return new Ill(labels, said, List.of(series));
  }

  /** The same, which fires by other series too. */
  Alert and(Ill ill) {
    return new Alert(
        name, severity, lasts, expr, said, Stream.concat(ills.stream(), Stream.of(ill)).toList());
  }

  /** The runbook's file name: the alert's, as words with dashes. */
  String runbook() {
    return name.substring("Strandline".length())
        .replaceAll("([a-z])([A-Z])", "$1-$2")
        .toLowerCase(Locale.ROOT);
  }
}
