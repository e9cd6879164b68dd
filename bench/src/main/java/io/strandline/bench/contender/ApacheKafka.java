package io.strandline.bench.contender;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Apache Kafka, one node in both roles, with the JVM options of its {@code kafka-run-class.sh}.
 *
 * @param classPath of its server and nothing else
 * @param logging file of log4j's configuration
 * @param heap as {@code -Xmx} takes it
 */
public record ApacheKafka(String classPath, Path logging, String heap) implements Contender {
  private static final List<String> OPTIONS =
      List.of(
          "-server",
          "-XX:+UseG1GC",
          "-XX:MaxGCPauseMillis=20",
          "-XX:InitiatingHeapOccupancyPercent=35",
          "-XX:+ExplicitGCInvokesConcurrent",
          "-Djava.awt.headless=true");

  @Override
  public String name() {
    return "Apache Kafka 4.3.1";
  }

  @Override
  public RunningBroker start(Path dir, Map<String, String> more, Doors doors)
      throws IOException, InterruptedException {
    Files.createDirectories(dir);
    Map<String, String> config = config(dir, doors, Ports.free());
    config.putAll(more);
    String file = ConfigFile.write(dir, config).toString();
    long begun = System.nanoTime();
    List<String> format =
        List.of("kafka.tools.StorageTool", "format", "-t", "AAAAAAAAAAAAAAAAAAAAAQ", "-c", file);
    BrokerProcess.start("format", dir, command("256m", format), Map.of()).awaitSuccess();
    BrokerProcess process =
        BrokerProcess.start("broker", dir, command(heap, List.of("kafka.Kafka", file)), Map.of());
    process.awaitReady(doors.plain());
    return new RunningBroker(this, process, doors, (System.nanoTime() - begun) / 1e9);
  }

  private static Map<String, String> config(Path dir, Doors doors, int controllerPort) {
    Map<String, String> config = new LinkedHashMap<>();
    config.put("process.roles", "broker,controller");
    config.put("node.id", "1");
    config.putAll(doors.settings());
    config.merge(
        "listeners", "CONTROLLER://127.0.0.1:" + controllerPort, (own, more) -> own + "," + more);
    config.put("controller.listener.names", "CONTROLLER");
    config.put("controller.quorum.voters", "1@127.0.0.1:" + controllerPort);
    config.put("log.dirs", dir.resolve("data").toString());
    config.put("offsets.topic.replication.factor", "1");
    config.put("group.initial.rebalance.delay.ms", "0");
    config.put("log.segment.delete.delay.ms", "1000");
    return config;
  }

  private List<String> command(String heapOption, List<String> mainAndArguments) {
    List<String> line = new ArrayList<>();
    line.add(BrokerProcess.java());
    line.addAll(List.of("-Xms" + heapOption, "-Xmx" + heapOption));
    line.addAll(OPTIONS);
    line.addAll(List.of(BrokerProcess.PROFILABLE.split(" ")));
    line.add("-Dlog4j2.configurationFile=" + logging);
    line.addAll(List.of("-cp", classPath));
    line.addAll(mainAndArguments);
    return line;
  }
}
