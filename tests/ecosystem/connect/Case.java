package io.strandline.ecosystem;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.config.ConfigResource;

/**
 * Two distributed workers of Kafka Connect: a file, exactly once into a topic, and the topic into a
 * file.
 */
final class Case {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final List<String> INNER =
      List.of("connect-offsets", "connect-configs", "connect-status");

  private final Stage stage;
  private final Path from;
  private final Path to;
  private final int[] ports = {Stage.freePort(), Stage.freePort()};
  private final Process[] workers = new Process[2];
  private final List<String> lines = new ArrayList<>();

  private Case(Stage stage) throws Exception {
    this.stage = stage;
    from = stage.dir.resolve("in.txt");
    to = stage.dir.resolve("out.txt");
  }

  public static void main(String[] args) {
    Stage.run(stage -> new Case(stage).play());
  }

  private void play() throws Exception {
    Files.createFile(from);
    try (Admin admin = stage.admin(stage.bootstrap)) {
      admin.createTopics(List.of(new NewTopic("lines", 1, (short) 1))).all().get();
      work(0);
      work(1);
      stage.await(
          "both workers answer",
          () -> get(0, "/connectors").isArray() && get(1, "/connectors").isArray());
      connectors();
      killedWorker();
      killedBroker();
      startedAnew();
      innerTopics(admin);
      offsetsTakenBack();
      stage.check(
          "transactions are the source's",
          admin.listTransactions().all().get().stream()
              .anyMatch(t -> t.transactionalId().contains("file-source")));
    }
  }

  private void connectors() throws Exception {
    put(
        "file-source",
        Map.of(
            "connector.class",
            "org.apache.kafka.connect.file.FileStreamSourceConnector",
            "tasks.max",
            "1",
            "file",
            from.toString(),
            "topic",
            "lines",
            "exactly.once.support",
            "required",
            "batch.size",
            "100"));
    put(
        "file-sink",
        Map.of(
            "connector.class",
            "org.apache.kafka.connect.file.FileStreamSinkConnector",
            "tasks.max",
            "1",
            "file",
            to.toString(),
            "topics",
            "lines"));
    stage.await("both tasks run", () -> runs(0, "file-source") && runs(0, "file-sink"));
    write(5_000);
    stage.await("lines arrive", () -> stage.values(stage.bootstrap, "lines").size() > 1_000);
  }

  private void killedWorker() throws Exception {
    String owner = get(0, "/connectors/file-source/status").at("/tasks/0/worker_id").asText();
    int victim = owner.endsWith(":" + ports[0]) ? 0 : 1;
    write(5_000);
    workers[victim].destroyForcibly().waitFor();
    write(5_000);
    stage.await(
        "the other worker has the task",
        () ->
            runs(1 - victim, "file-source")
                && get(1 - victim, "/connectors/file-source/status")
                    .at("/tasks/0/worker_id")
                    .asText()
                    .endsWith(":" + ports[1 - victim]));
    arrived("after a worker was killed");
    work(victim);
    stage.await("the killed worker is back", () -> get(victim, "/connectors").size() == 2);
  }

  private void killedBroker() throws Exception {
    write(5_000);
    if (stage.restartBroker()) {
      write(5_000);
      arrived("after the broker was killed");
    }
  }

  /** What was kept in topics is all that a worker has that starts alone. */
  private void startedAnew() throws Exception {
    arrived("before all workers stop");
    stage.await(
        "the sink's offset is committed",
        () ->
            sinkOffset(0)
                == stage.committed(stage.bootstrap, "lines").get(lines.size() - 1).offset() + 1);
    JsonNode config = get(0, "/connectors/file-source/config");
    for (Process worker : workers) {
      worker.destroy();
    }
    for (Process worker : workers) {
      worker.waitFor();
    }
    work(0);
    stage.await(
        "a worker alone runs both again", () -> runs(0, "file-source") && runs(0, "file-sink"));
    stage.equal("its config is kept", config, get(0, "/connectors/file-source/config"));
    stage.equal(
        "its offset is the end of the file",
        Files.size(from),
        get(0, "/connectors/file-source/offsets").at("/offsets/0/offset/position").asLong());
    write(1_000);
    arrived("after all workers were stopped");
    stage.await(
        "the sink wrote all",
        () -> new HashSet<>(Files.readAllLines(to)).equals(new HashSet<>(lines)));
  }

  private void innerTopics(Admin admin) throws Exception {
    for (String topic : INNER) {
      var resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
      var config = admin.describeConfigs(List.of(resource)).all().get().get(resource);
      stage.equal(topic + " is compacted", "compact", config.get("cleanup.policy").value());
      stage.check(topic + " has records", !stage.committed(stage.bootstrap, topic).isEmpty());
    }
  }

  /** Stopping a connector and taking its offsets back fences its producers. */
  private void offsetsTakenBack() throws Exception {
    call(0, "PUT", "/connectors/file-source/stop", "");
    stage.await(
        "the source is stopped",
        () ->
            get(0, "/connectors/file-source/status")
                .at("/connector/state")
                .asText()
                .equals("STOPPED"));
    stage.await(
        "its offsets are deleted",
        () -> call(0, "DELETE", "/connectors/file-source/offsets", "").contains("success"));
    stage.equal(
        "no offset is left", 0, get(0, "/connectors/file-source/offsets").at("/offsets").size());
    call(0, "PUT", "/connectors/file-source/resume", "");
    List<String> twice = new ArrayList<>(lines);
    twice.addAll(lines);
    stage.await(
        "the file is read once more",
        () -> stage.values(stage.bootstrap, "lines").size() >= twice.size());
    stage.equal("each line twice now", twice, stage.values(stage.bootstrap, "lines"));
    call(0, "DELETE", "/connectors/file-source", "");
    stage.await("the source is deleted", () -> get(0, "/connectors").size() == 1);
  }

  private void arrived(String when) throws Exception {
    stage.await(
        "all lines arrive " + when,
        () -> stage.values(stage.bootstrap, "lines").size() >= lines.size());
    stage.equal(
        "each line once and in order " + when, lines, stage.values(stage.bootstrap, "lines"));
  }

  private void write(int count) throws Exception {
    int first = lines.size();
    List<String> more = IntStream.range(first, first + count).mapToObj(i -> "line " + i).toList();
    for (int at = 0; at < count; at += 500) {
      Files.write(from, more.subList(at, Math.min(count, at + 500)), StandardOpenOption.APPEND);
    }
    lines.addAll(more);
  }

  private void work(int which) throws Exception {
    Path file =
        stage.config(
            "worker.properties",
            "worker-" + which + ".properties",
            List.of(
                "bootstrap.servers=" + stage.bootstrap,
                "listeners=http://127.0.0.1:" + ports[which],
                "rest.advertised.host.name=127.0.0.1"));
    workers[which] =
        stage.java(
            "worker-" + which,
            List.of("-Xmx384m"),
            "org.apache.kafka.connect.cli.ConnectDistributed",
            file.toString());
  }

  private long sinkOffset(int worker) throws Exception {
    return get(worker, "/connectors/file-sink/offsets")
        .at("/offsets/0/offset/kafka_offset")
        .asLong();
  }

  private boolean runs(int worker, String connector) throws Exception {
    return get(worker, "/connectors/" + connector + "/status")
        .at("/tasks/0/state")
        .asText()
        .equals("RUNNING");
  }

  private void put(String connector, Map<String, String> config) throws Exception {
    call(0, "PUT", "/connectors/" + connector + "/config", JSON.writeValueAsString(config));
    stage.await(
        connector + " is there", () -> get(1, "/connectors").toString().contains(connector));
  }

  private JsonNode get(int worker, String path) throws Exception {
    return JSON.readTree(call(worker, "GET", path, ""));
  }

  private String call(int worker, String method, String path, String body) throws Exception {
    return stage.http(method, "http://127.0.0.1:" + ports[worker] + path, "application/json", body);
  }
}
