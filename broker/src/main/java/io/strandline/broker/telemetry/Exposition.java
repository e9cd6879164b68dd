package io.strandline.broker.telemetry;

import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.shaded.io.opentelemetry.proto.common.v1.AnyValue;
import org.apache.kafka.shaded.io.opentelemetry.proto.common.v1.KeyValue;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.NumberDataPoint;

/** Names, labels and numbers as Prometheus' text format writes them. */
final class Exposition {
  private static final int CHARS_MAX = 256;

  private Exposition() {}

  /** A name that may stand there: letters, digits and underscores. */
  static String name(String given) {
    String name = cut(given).replaceAll("[^a-zA-Z0-9_]", "_");
    return name.isEmpty() || Character.isDigit(name.charAt(0)) ? "_" + name : name;
  }

  /** The labels of a value: what the client says, and who it is by our own knowledge. */
  static String labels(Map<String, String> who, NumberDataPoint point) {
    Map<String, String> all = new TreeMap<>();
    for (KeyValue attribute : point.getAttributesList()) {
      all.put(name(attribute.getKey()), text(attribute.getValue()));
    }
    all.putAll(who);
    StringBuilder out = new StringBuilder("{");
    all.forEach(
        (key, value) ->
            out.append(out.length() > 1 ? "," : "")
                .append(key)
                .append("=\"")
                .append(escaped(cut(value)))
                .append('"'));
    return out.append('}').toString();
  }

  private static String text(AnyValue value) {
    return switch (value.getValueCase()) {
      case STRING_VALUE -> value.getStringValue();
      case INT_VALUE -> String.valueOf(value.getIntValue());
      case DOUBLE_VALUE -> String.valueOf(value.getDoubleValue());
      case BOOL_VALUE -> String.valueOf(value.getBoolValue());
      default -> "";
    };
  }

  static String number(double value) {
    if (Double.isInfinite(value)) {
      return value > 0 ? "+Inf" : "-Inf";
    }
    return String.valueOf(value);
  }

  private static String escaped(String value) {
    return value.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n");
  }

  private static String cut(String text) {
    return text.length() <= CHARS_MAX ? text : text.substring(0, CHARS_MAX);
  }
}
