package io.strandline.broker.observe.kafka;

import javax.management.MalformedObjectNameException;
import javax.management.ObjectName;
import org.apache.kafka.common.utils.Sanitizer;

/**
 * The name of an MBean as Kafka builds it: {@code domain:type=…,name=…,tag=value,…}.
 *
 * @param name empty for a bean without one
 * @param tags the rest of it, {@code ,tag=value} for each, or empty
 */
public record KafkaName(String domain, String type, String name, String tags) {
  /** A name without tags. */
  public static KafkaName of(String domain, String type, String name) {
    return new KafkaName(domain, type, name, "");
  }

  /** With one tag more; the value may be anything. */
  public KafkaName with(String tag, Object value) {
    return new KafkaName(
        domain, type, name, tags + "," + tag + "=" + Sanitizer.jmxSanitize(value.toString()));
  }

  ObjectName objectName() {
    try {
      return new ObjectName(toString());
    } catch (MalformedObjectNameException e) {
      throw new IllegalArgumentException(toString(), e);
    }
  }

  @Override
  public String toString() {
    return domain + ":type=" + type + (name.isEmpty() ? "" : ",name=" + name) + tags;
  }
}
