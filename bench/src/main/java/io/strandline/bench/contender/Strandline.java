package io.strandline.bench.contender;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Strandline, started by {@code bin/strandline} with its archive of class data; without a launcher
 * from the class path of this process.
 *
 * @param launcher the path of {@code bin/strandline}, empty for none
 * @param heap as {@code -Xmx} takes it
 */
public record Strandline(String launcher, String heap) implements Contender {
  @Override
  public String name() {
    return "Strandline";
  }

  @Override
  public RunningBroker start(Path dir, Map<String, String> more, Doors doors)
      throws IOException, InterruptedException {
    Files.createDirectories(dir);
    Map<String, String> config = new LinkedHashMap<>(doors.settings());
    config.put("log.dirs", dir.resolve("data").toString());
    config.put("strandline.admin.listener", "127.0.0.1:0");
    config.put("group.initial.rebalance.delay.ms", "0");
    config.put("log.segment.delete.delay.ms", "1000");
    config.putAll(more);
    Path file = ConfigFile.write(dir, config);
    long begun = System.nanoTime();
    BrokerProcess process = BrokerProcess.start(name(), dir, command(file), environment());
    process.awaitReady(doors.plain());
    return new RunningBroker(this, process, doors, (System.nanoTime() - begun) / 1e9);
  }

  private List<String> command(Path file) {
    if (!launcher.isEmpty()) {
      return List.of(launcher, "server", file.toString());
    }
    List<String> line = new ArrayList<>();
    line.add(BrokerProcess.java());
    line.addAll(List.of("-Xms" + heap, "-Xmx" + heap, "-XX:+UseG1GC"));
    line.addAll(List.of("-cp", System.getProperty("java.class.path")));
    line.addAll(List.of("io.strandline.broker.Main", file.toString()));
    return line;
  }

  /** The keys are for a store of the bench, which does not look at them, unless some are given. */
  private Map<String, String> environment() {
    Map<String, String> given = System.getenv();
    return Map.of(
        "STRANDLINE_HEAP",
        heap,
        "STRANDLINE_JAVA_OPTS",
        BrokerProcess.PROFILABLE,
        "AWS_ACCESS_KEY_ID",
        given.getOrDefault("AWS_ACCESS_KEY_ID", "bench"),
        "AWS_SECRET_ACCESS_KEY",
        given.getOrDefault("AWS_SECRET_ACCESS_KEY", "bench-secret"));
  }
}
