package io.strandline.broker.control.config;

import java.util.Set;
import java.util.function.Consumer;
import kafka.server.BrokerReconfigurable;
import kafka.server.KafkaConfig;
import org.apache.kafka.server.config.AbstractKafkaConfig;

/**
 * One that Kafka asks before keys of its own change, or tells afterwards.
 *
 * @param judge throws ConfigException for what can not be
 */
record DynamicPart(
    Set<String> reconfigurableConfigs,
    Consumer<KafkaConfig> judge,
    Consumer<AbstractKafkaConfig> user)
    implements BrokerReconfigurable {

  /** Of keys whose values are read where they are used. */
  static DynamicPart judging(Set<String> keys, Consumer<KafkaConfig> judge) {
    return new DynamicPart(keys, judge, now -> {});
  }

  static DynamicPart following(Set<String> keys, Consumer<AbstractKafkaConfig> user) {
    return new DynamicPart(keys, wanted -> {}, user);
  }

  @Override
  public void validateReconfiguration(KafkaConfig wanted) {
    judge.accept(wanted);
  }

  @Override
  public void reconfigure(KafkaConfig before, KafkaConfig now) {
    user.accept(now);
  }
}
