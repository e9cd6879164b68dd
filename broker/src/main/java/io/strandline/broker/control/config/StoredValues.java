package io.strandline.broker.control.config;

import java.util.Optional;
import java.util.Properties;
import java.util.TreeSet;
import kafka.server.DynamicBrokerConfig;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the metadata says of brokers, as far as this one can take it. Kafka takes all values of a
 * resource or none of them, now and with every later change: one that does not do, as a cordoned
 * directory that this broker has no more, would bring the file's retention back for all topics.
 *
 * @param ofBroker whether they are one broker's and not the default of all
 */
record StoredValues(DynamicBrokerConfig dynamic, boolean ofBroker) {
  private static final Logger LOG = LoggerFactory.getLogger(StoredValues.class);

  /** All of them, or all but those that do not do; each of these is told in the log. */
  Properties fitting(Properties stored) {
    Properties known = dynamic.fromPersistentProps(stored, ofBroker);
    Optional<RuntimeException> refusal = refusal(known);
    if (refusal.isEmpty()) {
      return known;
    }
    TreeSet<String> keys = new TreeSet<>(known.stringPropertyNames());
    for (String key : keys) { // one that is wrong for itself, as a rule
      Properties others = new Properties();
      others.putAll(known);
      others.remove(key);
      if (refusal(others).isEmpty()) {
        tell(key, refusal.get());
        return others;
      }
    }
    Properties fitting = new Properties();
    for (String key : keys) {
      fitting.put(key, known.getProperty(key));
      refusal(fitting)
          .ifPresent(
              why -> {
                fitting.remove(key);
                tell(key, why);
              });
    }
    return fitting;
  }

  private Optional<RuntimeException> refusal(Properties values) {
    try {
      dynamic.validate(values, ofBroker);
      return Optional.empty();
    } catch (RuntimeException why) { // of plug-ins any
      return Optional.of(why);
    }
  }

  private static void tell(String key, RuntimeException why) {
    LOG.atError()
        .addKeyValue("key", key)
        .setCause(why)
        .log("what was set dynamically does not do for this broker and is left out");
  }
}
