package io.strandline.tests.observe.board;

import java.util.ArrayList;
import java.util.List;

/**
 * One diagram, or one number.
 *
 * @param unit as Grafana calls it
 * @param queries what is drawn
 */
record Panel(String title, Kind kind, String unit, List<Query> queries) {
  /** How it is drawn. */
  enum Kind {
    STAT("stat"),
    /** From zero up. */
    LINES("timeseries"),
    /** Below zero too. */
    SIGNED("timeseries");

    final String type;

    Kind(String type) {
      this.type = type;
    }
  }

  /**
   * @param expr PromQL, in which {@code $S} is what the dashboard's variables choose
   * @param legend with labels in double braces
   */
  record Query(String expr, String legend) {}

  static Panel lines(String title, String unit, String... exprsAndLegends) {
    return of(title, Kind.LINES, unit, exprsAndLegends);
  }

  static Panel signed(String title, String unit, String... exprsAndLegends) {
    return of(title, Kind.SIGNED, unit, exprsAndLegends);
  }

  static Panel stat(String title, String unit, String... exprsAndLegends) {
    return of(title, Kind.STAT, unit, exprsAndLegends);
  }

  private static Panel of(String title, Kind kind, String unit, String... exprsAndLegends) {
    List<Query> queries = new ArrayList<>();
    for (int i = 0; i < exprsAndLegends.length; i += 2) {
      queries.add(new Query(exprsAndLegends[i], exprsAndLegends[i + 1]));
    }
    return new Panel(title, kind, unit, List.copyOf(queries));
  }
}
