package io.strandline.ecosystem;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * What every case needs: checks that are counted, processes that end with the case, and plain Kafka
 * clients.
 */
final class Stage {
  /** A case: throws when something is not as it must be. */
  interface Act {
    void play(Stage stage) throws Exception;
  }

  private static final Duration PATIENCE = Duration.ofMinutes(3);

  final String bootstrap = System.getProperty("bootstrap");
  final Path dir = Path.of(System.getProperty("dir"));
  private final List<Process> children = new ArrayList<>();
  private final HttpClient http = HttpClient.newHttpClient();
  private int checks;

  /** Plays it, prints each check and their number, and ends this process with 0 or 1. */
  static void run(Act act) {
    Stage stage = new Stage();
    int exit = 1;
    try {
      act.play(stage);
      System.out.println(stage.checks + " checks");
      exit = 0;
    } catch (Throwable e) { // whatever it was, the children must end and the exit must tell
      e.printStackTrace();
    }
    stage.children.forEach(Process::destroyForcibly);
    System.out.flush();
    Runtime.getRuntime().halt(exit);
  }

  void check(String what, boolean holds) {
    System.out.println((holds ? "ok      " : "NOT OK  ") + what);
    if (!holds) {
      throw new AssertionError(what);
    }
    checks++;
  }

  void equal(String what, Object expected, Object actual) {
    boolean holds = Objects.equals(expected, actual);
    check(
        holds ? what : what + ": expected " + brief(expected) + " but was " + brief(actual), holds);
  }

  private static String brief(Object value) {
    String all = String.valueOf(value);
    return all.length() <= 300
        ? all
        : all.substring(0, 300) + "… (" + all.length() + " characters)";
  }

  /** Waits until it is so; an exception means not yet. */
  void await(String what, Callable<Boolean> condition) throws InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    Exception last = null;
    while (System.nanoTime() < end) {
      try {
        if (condition.call()) {
          check(what, true);
          return;
        }
      } catch (Exception e) { // not yet
        last = e;
      }
      Thread.sleep(200);
    }
    if (last != null) {
      last.printStackTrace();
    }
    check(what, false);
  }

  /** Kills the broker and starts it again on its data; false if this broker cannot be. */
  boolean restartBroker() throws Exception {
    String command = System.getProperty("restart", "");
    if (command.isEmpty()) {
      System.out.println("left out: the restart of the broker");
      return false;
    }
    Process process = spawn("restart", List.of("bash", "-c", command));
    check(
        "the broker was killed and started again",
        process.waitFor(3, TimeUnit.MINUTES) && process.exitValue() == 0);
    return true;
  }

  /** A file of settings in this case's directory: those of the case, and more lines. */
  Path config(String from, String to, List<String> more) throws IOException {
    List<String> lines =
        new ArrayList<>(Files.readAllLines(Path.of(System.getProperty("case"), from)));
    lines.addAll(more);
    return Files.write(dir.resolve(to), lines);
  }

  /** A JVM with this one's class path, its output in a log of that name. */
  Process java(String name, List<String> options, String... mainAndArguments) throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of("java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dlog.level=INFO"));
    command.add("-Dlog4j2.configurationFile=" + System.getProperty("log4j2.configurationFile"));
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(o -> o.startsWith("--add-opens"))
        .forEach(command::add);
    command.addAll(options);
    command.addAll(List.of(mainAndArguments));
    return spawn(name, command);
  }

  Process spawn(String name, List<String> command) throws IOException {
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(dir.resolve(name + ".log").toFile()))
            .start();
    children.add(process);
    return process;
  }

  static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  /** The body of the answer; an exception unless it is 2xx. */
  String http(String method, String url, String type, String body) throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(url))
            .header("Content-Type", type)
            .timeout(Duration.ofSeconds(60))
            .method(method, HttpRequest.BodyPublishers.ofString(body))
            .build();
    HttpResponse<String> answer = http.send(request, HttpResponse.BodyHandlers.ofString());
    if (answer.statusCode() / 100 != 2) {
      throw new IOException(
          method + " " + url + " was answered " + answer.statusCode() + ": " + answer.body());
    }
    return answer.body();
  }

  Admin admin(String address) {
    return Admin.create(Map.of("bootstrap.servers", address));
  }

  KafkaProducer<String, String> producer(String address) {
    Properties config = new Properties();
    config.put("bootstrap.servers", address);
    config.put("linger.ms", "5");
    return new KafkaProducer<>(config, new StringSerializer(), new StringSerializer());
  }

  /** A consumer without a group of its own accord. */
  KafkaConsumer<byte[], byte[]> consumer(String address, Map<String, String> more) {
    Properties config = new Properties();
    config.put("bootstrap.servers", address);
    config.put("auto.offset.reset", "earliest");
    config.put("enable.auto.commit", "false");
    config.putAll(more);
    return new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  /** All that is committed in a topic now, partition after partition. */
  List<ConsumerRecord<byte[], byte[]>> committed(String address, String topic) {
    List<ConsumerRecord<byte[], byte[]>> all = new ArrayList<>();
    try (var consumer = consumer(address, Map.of("isolation.level", "read_committed"))) {
      List<TopicPartition> partitions = new ArrayList<>();
      consumer
          .partitionsFor(topic)
          .forEach(p -> partitions.add(new TopicPartition(topic, p.partition())));
      partitions.sort((a, b) -> a.partition() - b.partition());
      for (TopicPartition partition : partitions) {
        consumer.assign(List.of(partition));
        consumer.seekToBeginning(List.of(partition));
        long end = consumer.endOffsets(List.of(partition)).get(partition);
        while (consumer.position(partition) < end) {
          consumer.poll(Duration.ofMillis(200)).forEach(all::add);
        }
      }
    }
    return all;
  }

  List<String> values(String address, String topic) {
    return committed(address, topic).stream().map(r -> text(r.value())).toList();
  }

  static String text(byte[] bytes) {
    return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8);
  }
}
