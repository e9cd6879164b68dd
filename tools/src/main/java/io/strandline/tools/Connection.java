package io.strandline.tools;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.admin.Admin;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How a command reaches the cluster: options shared by all that use a Kafka client. */
final class Connection {
  @Option(
      names = {"-b", "--bootstrap-server", "--bootstrap"},
      paramLabel = "HOST:PORT",
      defaultValue = "127.0.0.1:9092",
      description = "Address of any broker (default: ${DEFAULT-VALUE}).")
  private String bootstrap = "";

  @Option(
      names = "--client-config",
      paramLabel = "FILE",
      description = "Properties of the Kafka client: security, time-outs.")
  private @Nullable Path clientConfig;

  Properties properties() throws IOException {
    return properties(bootstrap, clientConfig);
  }

  /** A client's, of this file if there is one, at these brokers. */
  static Properties properties(String bootstrap, @Nullable Path clientConfig) throws IOException {
    Properties properties = new Properties();
    if (clientConfig != null) {
      try (Reader reader = Files.newBufferedReader(clientConfig)) {
        properties.load(reader);
      }
    }
    properties.put(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
    return properties;
  }

  Admin admin() throws IOException {
    return Admin.create(properties());
  }
}
