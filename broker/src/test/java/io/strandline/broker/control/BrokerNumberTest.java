package io.strandline.broker.control;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.broker.control.config.EffectiveConfig;
import java.util.Map;
import kafka.server.KafkaConfig;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.image.ConfigurationImage;
import org.apache.kafka.image.ConfigurationsImage;
import org.apache.kafka.image.MetadataImage;
import org.apache.kafka.server.common.KRaftVersion;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.junit.jupiter.api.Test;

/** Numbers of the broker's configuration as the cluster has set them. */
class BrokerNumberTest {
  private static final String RATE = "remote.log.manager.fetch.max.bytes.per.second";

  private static final Map<String, String> GIVEN =
      Map.of(
          RATE,
          "1000",
          "controller.quorum.bootstrap.servers",
          "127.0.0.1:9093",
          "listeners",
          "PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093");

  private static ClusterView view(Map<String, String> cluster, Map<String, String> broker) {
    KafkaConfig file = new KafkaConfig(new ControlConfig(GIVEN).withDefaults(), false);
    ConfigResource all = new ConfigResource(ConfigResource.Type.BROKER, "");
    ConfigResource one = new ConfigResource(ConfigResource.Type.BROKER, "1");
    EffectiveConfig config =
        EffectiveConfig.ofFile(file)
            .with(
                new ConfigurationsImage(
                    Map.of(
                        all, new ConfigurationImage(all, cluster),
                        one, new ConfigurationImage(one, broker))));
    return new ImageView("c", config, MetadataImage.EMPTY, () -> KRaftVersion.LATEST_PRODUCTION);
  }

  @Test
  void whatIsSetForAllBrokersWinsOverTheFileAndWhatIsSetForThisOneOverBoth() {
    assertThat(view(Map.of(), Map.of()).brokerNumber(RATE)).isEqualTo(1000);
    assertThat(view(Map.of(RATE, "2000"), Map.of()).brokerNumber(RATE)).isEqualTo(2000);
    assertThat(view(Map.of(RATE, "2000"), Map.of(RATE, "3000")).brokerNumber(RATE)).isEqualTo(3000);
  }

  @Test
  void whatTopicsHadBeforeIsForgotten() {
    EffectiveConfig config =
        EffectiveConfig.ofFile(new KafkaConfig(new ControlConfig(GIVEN).withDefaults(), false));
    ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, "t");
    Map<String, String> first = Map.of("retention.ms", "1");
    LogConfig built = config.topic(first);
    LogConfig newest = built;
    for (int i = 1; i < 1_000; i++) {
      Map<String, String> overrides = Map.of("retention.ms", String.valueOf(i));
      newest = config.topic(overrides);
      ConfigurationImage image = new ConfigurationImage(topic, overrides);
      assertThat(config.with(new ConfigurationsImage(Map.of(topic, image)))).isSameAs(config);
      assertThat(config.topic(overrides)).as("what a topic has").isSameAs(newest);
    }
    assertThat(config.topic(first)).isNotSameAs(built);
  }

  @Test
  void withoutAWordThereIsKafkasDefault() {
    assertThat(
            view(Map.of(), Map.of()).brokerNumber("remote.log.manager.copy.max.bytes.per.second"))
        .isEqualTo(Long.MAX_VALUE);
  }
}
