package io.strandline.tests.observe.board;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;

/**
 * A dashboard of Grafana (schema 39): rows of panels, and variables for the data source, the
 * cluster and its nodes.
 *
 * @param file its name without an ending, and its uid
 */
record Dashboard(String file, String title, List<Row> rows) {
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
  private static final int COLUMNS = 24;
  private static final int HEIGHT = 8;
  private static final int STAT_HEIGHT = 4;

  /** What the variables choose. */
  private static final String CHOSEN = "cluster=\"$cluster\",instance=~\"$instance\"";

  /** Panels under one heading. */
  record Row(String title, List<Panel> panels) {
    static Row of(String title, Panel... panels) {
      return new Row(title, List.of(panels));
    }
  }

  /** All queries, with {@code $S} replaced. */
  List<String> exprs() {
    return rows.stream()
        .flatMap(row -> row.panels().stream())
        .flatMap(panel -> panel.queries().stream())
        .map(query -> chosen(query.expr()))
        .toList();
  }

  private static String chosen(String expr) {
    return expr.replace("$S", CHOSEN);
  }

  /** As Grafana imports it. */
  String json() {
    ObjectNode board = JSON.createObjectNode();
    board.put("uid", "strandline-" + file);
    board.put("title", "Strandline / " + title);
    board.putArray("tags").add("strandline");
    board.put("schemaVersion", 39);
    board.put("editable", true);
    board.put("refresh", "30s");
    board.put("timezone", "browser");
    board.putObject("time").put("from", "now-6h").put("to", "now");
    ArrayNode variables = board.putObject("templating").putArray("list");
    source(variables.addObject());
    variable(variables.addObject(), "cluster", "label_values(strandline_version, cluster)", false);
    variable(
        variables.addObject(),
        "instance",
        "label_values(strandline_version{cluster=\"$cluster\"}, instance)",
        true);
    panels(board.putArray("panels"));
    try {
      return JSON.writeValueAsString(board) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void source(ObjectNode variable) {
    variable.put("name", "datasource").put("type", "datasource").put("query", "prometheus");
    variable.put("label", "Data source");
  }

  private static void variable(ObjectNode variable, String name, String query, boolean many) {
    variable.put("name", name).put("type", "query").put("label", name);
    variable.set("datasource", datasource());
    variable.put("query", query).put("refresh", 2).put("sort", 1);
    variable.put("multi", many).put("includeAll", many);
    if (many) {
      variable.put("allValue", ".*");
      variable.putObject("current").put("text", "All").put("value", "$__all");
    }
  }

  private static ObjectNode datasource() {
    return JSON.createObjectNode().put("type", "prometheus").put("uid", "${datasource}");
  }

  private void panels(ArrayNode panels) {
    int id = 1;
    int y = 0;
    for (Row row : rows) {
      ObjectNode heading = panels.addObject();
      heading.put("id", id++).put("type", "row").put("title", row.title());
      heading.put("collapsed", false);
      place(heading, 0, y, COLUMNS, 1);
      heading.putArray("panels");
      y += 1;
      boolean stats = row.panels().stream().allMatch(p -> p.kind() == Panel.Kind.STAT);
      int height = stats ? STAT_HEIGHT : HEIGHT;
      int inLine = stats ? row.panels().size() : Math.min(3, row.panels().size());
      int width = COLUMNS / inLine;
      int x = 0;
      for (Panel panel : row.panels()) {
        if (x + width > COLUMNS) {
          x = 0;
          y += height;
        }
        ObjectNode node = panels.addObject();
        node.put("id", id++).put("type", panel.kind().type).put("title", panel.title());
        node.set("datasource", datasource());
        place(node, x, y, width, height);
        draw(node, panel);
        x += width;
      }
      y += height;
    }
  }

  private static void place(ObjectNode node, int x, int y, int width, int height) {
    node.putObject("gridPos").put("h", height).put("w", width).put("x", x).put("y", y);
  }

  private static void draw(ObjectNode node, Panel panel) {
    ObjectNode fields = node.putObject("fieldConfig");
    ObjectNode defaults = fields.putObject("defaults").put("unit", panel.unit());
    if (panel.kind() == Panel.Kind.LINES) {
      defaults.put("min", 0);
    }
    if (panel.kind() != Panel.Kind.STAT) {
      defaults.putObject("custom").put("fillOpacity", 8).put("showPoints", "never");
      ObjectNode options = node.putObject("options");
      options.putObject("tooltip").put("mode", "multi").put("sort", "desc");
      options.putObject("legend").put("displayMode", "list").put("placement", "bottom");
    }
    fields.putArray("overrides");
    ArrayNode targets = node.putArray("targets");
    char ref = 'A';
    for (Panel.Query query : panel.queries()) {
      ObjectNode target = targets.addObject();
      target.put("refId", String.valueOf(ref++));
      target.set("datasource", datasource());
      target.put("expr", chosen(query.expr())).put("legendFormat", query.legend());
    }
  }
}
