package io.strandline.ecosystem;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.kafka.common.Uuid;

/** The other side: a broker of Apache Kafka with ACLs, from the jars of this class path. */
final class ApacheKafka {
  private ApacheKafka() {}

  /** Starts it; its address. */
  static String start(Stage stage) throws Exception {
    int port = Stage.freePort();
    int controller = Stage.freePort();
    Path config = stage.dir.resolve("kafka.properties");
    Files.write(
        config,
        List.of(
            "node.id=1",
            "process.roles=broker,controller",
            "controller.quorum.voters=1@127.0.0.1:" + controller,
            "listeners=PLAINTEXT://127.0.0.1:" + port + ",CONTROLLER://127.0.0.1:" + controller,
            "controller.listener.names=CONTROLLER",
            "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs=" + stage.dir.resolve("kafka"),
            "offsets.topic.num.partitions=4",
            "offsets.topic.replication.factor=1",
            "transaction.state.log.num.partitions=4",
            "transaction.state.log.replication.factor=1",
            "transaction.state.log.min.isr=1",
            "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users=User:ANONYMOUS"));
    Process format =
        stage.java(
            "kafka-format",
            List.of(),
            "kafka.tools.StorageTool",
            "format",
            "-t",
            Uuid.randomUuid().toString(),
            "-c",
            config.toString());
    stage.equal("Apache Kafka's directory is formatted", 0, format.waitFor());
    stage.java("kafka", List.of("-Xmx512m"), "kafka.Kafka", config.toString());
    String address = "127.0.0.1:" + port;
    try (var admin = stage.admin(address)) {
      stage.await("Apache Kafka answers", () -> admin.describeCluster().nodes().get().size() == 1);
    }
    return address;
  }
}
