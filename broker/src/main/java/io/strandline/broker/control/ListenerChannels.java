package io.strandline.broker.control;

import java.nio.channels.SelectionKey;
import java.util.Map;
import kafka.server.KafkaConfig;
import org.apache.kafka.common.Reconfigurable;
import org.apache.kafka.common.memory.MemoryPool;
import org.apache.kafka.common.network.ChannelBuilder;
import org.apache.kafka.common.network.ChannelBuilders;
import org.apache.kafka.common.network.ChannelMetadataRegistry;
import org.apache.kafka.common.network.KafkaChannel;
import org.apache.kafka.common.security.JaasContext;
import org.apache.kafka.common.utils.LogContext;
import org.apache.kafka.common.utils.Time;
import org.jspecify.annotations.Nullable;

/**
 * Secures the connections of one client to the brokers' listener, and hears of changed settings and
 * certificates until it is closed, which its client does.
 */
record ListenerChannels(KafkaConfig config, ChannelBuilder channels) implements ChannelBuilder {
  static ListenerChannels open(KafkaConfig config, Time time, LogContext log) {
    ChannelBuilder channels =
        ChannelBuilders.clientChannelBuilder(
            config.interBrokerSecurityProtocol(),
            JaasContext.Type.SERVER,
            config,
            config.interBrokerListenerName(),
            config.saslMechanismInterBrokerProtocol(),
            time,
            log);
    if (channels instanceof Reconfigurable part) {
      config.addReconfigurable(part);
    }
    return new ListenerChannels(config, channels);
  }

  @Override
  public void configure(Map<String, ?> configs) {
    channels.configure(configs);
  }

  @Override
  public KafkaChannel buildChannel(
      String id,
      SelectionKey key,
      int receiveBytesMax,
      @Nullable MemoryPool memory,
      ChannelMetadataRegistry registry) {
    return channels.buildChannel(id, key, receiveBytesMax, memory, registry);
  }

  @Override
  public void close() {
    if (channels instanceof Reconfigurable part) {
      config.removeReconfigurable(part);
    }
    channels.close();
  }
}
