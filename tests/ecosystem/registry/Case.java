package io.strandline.ecosystem;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.apicurio.registry.serde.avro.AvroKafkaDeserializer;
import io.apicurio.registry.serde.avro.AvroKafkaSerializer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Apicurio Registry that keeps all in Kafka (kafkasql), killed and started again; its Avro serde
 * both ways.
 */
final class Case {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String FIRST =
      "{\"type\":\"record\",\"name\":\"Order\",\"fields\":[{\"name\":\"id\",\"type\":\"long\"}]}";
  private static final String SECOND =
      "{\"type\":\"record\",\"name\":\"Order\",\"fields\":[{\"name\":\"id\",\"type\":\"long\"},{\"name\":\"note\",\"type\":\"string\",\"default\":\"\"}]}";
  private static final String BROKEN =
      "{\"type\":\"record\",\"name\":\"Order\",\"fields\":[{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"must\",\"type\":\"int\"}]}";

  private final Stage stage;
  private final int port = Stage.freePort();
  private final List<String> written = new ArrayList<>();

  private Case(Stage stage) throws IOException {
    this.stage = stage;
  }

  public static void main(String[] args) {
    Stage.run(stage -> new Case(stage).play());
  }

  private void play() throws Exception {
    Process registry = registry(port);
    JsonNode first = register("order", FIRST);
    rules();
    JsonNode confluent =
        JSON.readTree(
            post(
                port,
                "/apis/ccompat/v7/subjects/words-value/versions",
                JSON.writeValueAsString(Map.of("schema", FIRST))));
    stage.check("Confluent's API registers too", confluent.get("id").asLong() > 0);
    write(FIRST, 500);
    stage.equal("the serde reads what it wrote", written, read());
    List<String> all = artifacts(port);
    stage.check("there are artifacts", all.size() >= 3);

    registry.destroyForcibly().waitFor();
    registry = registry(port);
    again(all, first, "after a kill");
    write(SECOND, 500);
    stage.equal("the serde reads old and new", written, read());
    two();

    if (stage.restartBroker()) {
      stage.await(
          "the registry registers after the broker was killed",
          () -> register("later", FIRST) != null);
      write(SECOND, 100);
      stage.equal("the serde reads on", written, read());
    }
    post(port, "/apis/registry/v3/admin/snapshots", "");
    register("after-snapshot", SECOND);
    List<String> last = artifacts(port);
    registry.destroyForcibly().waitFor();
    registry(port);
    again(last, first, "from a snapshot and what came after it");
    stage.equal("the serde reads after all that", written, read());
    topics();
  }

  private void rules() throws Exception {
    post(
        port,
        "/apis/registry/v3/groups/shop/artifacts/order/rules",
        "{\"ruleType\":\"COMPATIBILITY\",\"config\":\"BACKWARD\"}");
    stage.equal("a second version", "2", version(SECOND).get("version").asText());
    String refused = "";
    try {
      version(BROKEN);
    } catch (IOException e) {
      refused = e.getMessage();
    }
    stage.check("one that breaks the rule is refused", refused.contains(" 409"));
  }

  /** Two instances over one journal see what the other wrote. */
  private void two() throws Exception {
    int other = Stage.freePort();
    Process second = registry(other);
    stage.equal("a second instance knows all", artifacts(port), artifacts(other));
    register("from-first", FIRST);
    stage.await(
        "and what is registered at the first",
        () -> artifacts(other).contains("shop/from-first/AVRO"));
    second.destroyForcibly().waitFor();
  }

  private void again(List<String> all, JsonNode first, String when) throws Exception {
    stage.equal("artifacts are there " + when, all, artifacts(port));
    String content =
        get(port, "/apis/registry/v3/ids/globalIds/" + first.at("/version/globalId").asLong());
    stage.equal("the first schema is there " + when, FIRST, content);
    stage.equal(
        "rules are there " + when,
        "BACKWARD",
        JSON.readTree(
                get(port, "/apis/registry/v3/groups/shop/artifacts/order/rules/COMPATIBILITY"))
            .get("config")
            .asText());
    stage.check(
        "Confluent's subject is there " + when,
        get(port, "/apis/ccompat/v7/subjects").contains("words-value"));
  }

  private void topics() throws Exception {
    try (Admin admin = stage.admin(stage.bootstrap)) {
      var names = admin.listTopics().names().get();
      stage.check(
          "its topics are there",
          names.containsAll(List.of("kafkasql-journal", "kafkasql-snapshots")));
      stage.check(
          "the journal has records",
          stage.committed(stage.bootstrap, "kafkasql-journal").size() > 5);
      stage.check(
          "a snapshot was written",
          !stage.committed(stage.bootstrap, "kafkasql-snapshots").isEmpty());
    }
  }

  private JsonNode register(String artifact, String schema) throws Exception {
    Map<String, Object> body =
        Map.of("artifactId", artifact, "artifactType", "AVRO", "firstVersion", content(schema));
    JsonNode answer =
        JSON.readTree(
            post(
                port,
                "/apis/registry/v3/groups/shop/artifacts?ifExists=FIND_OR_CREATE_VERSION",
                JSON.writeValueAsString(body)));
    stage.equal(artifact + " is registered", artifact, answer.at("/artifact/artifactId").asText());
    return answer;
  }

  private JsonNode version(String schema) throws Exception {
    return JSON.readTree(
        post(
            port,
            "/apis/registry/v3/groups/shop/artifacts/order/versions",
            JSON.writeValueAsString(content(schema))));
  }

  private static Map<String, Object> content(String schema) {
    return Map.of("content", Map.of("content", schema, "contentType", "application/json"));
  }

  /**
   * What is registered, but for its times: those are of the replay of the journal, after a start.
   */
  private List<String> artifacts(int at) throws Exception {
    List<String> all = new ArrayList<>();
    for (JsonNode artifact :
        JSON.readTree(get(at, "/apis/registry/v3/search/artifacts?limit=100&orderby=artifactId"))
            .get("artifacts")) {
      all.add(
          artifact.path("groupId").asText()
              + "/"
              + artifact.get("artifactId").asText()
              + "/"
              + artifact.get("artifactType").asText());
    }
    return all;
  }

  private void write(String schemaText, int count) throws Exception {
    Schema schema = new Schema.Parser().parse(schemaText);
    try (var producer =
        new KafkaProducer<String, GenericRecord>(
            config(StringSerializer.class, AvroKafkaSerializer.class))) {
      List<Long> ids =
          IntStream.range(written.size(), written.size() + count).mapToObj(Long::valueOf).toList();
      for (long id : ids) {
        GenericRecord record = new GenericData.Record(schema);
        record.put("id", id);
        if (schema.getField("note") != null) {
          record.put("note", "note " + id);
        }
        producer.send(new ProducerRecord<>("orders", 0, "" + id, record)).get();
        written.add(record.toString());
      }
    }
  }

  private List<String> read() throws Exception {
    List<String> read = new ArrayList<>();
    TopicPartition partition = new TopicPartition("orders", 0);
    try (var consumer =
        new KafkaConsumer<String, GenericRecord>(
            config(StringDeserializer.class, AvroKafkaDeserializer.class))) {
      consumer.assign(List.of(partition));
      consumer.seekToBeginning(List.of(partition));
      long end = consumer.endOffsets(List.of(partition)).get(partition);
      while (consumer.position(partition) < end) {
        consumer.poll(Duration.ofMillis(200)).forEach(r -> read.add(r.value().toString()));
      }
    }
    return read;
  }

  private Map<String, Object> config(Class<?> key, Class<?> value) {
    String kind = value == AvroKafkaSerializer.class ? "serializer" : "deserializer";
    return Map.of(
        "bootstrap.servers",
        stage.bootstrap,
        "key." + kind,
        key.getName(),
        "value." + kind,
        value.getName(),
        "apicurio.registry.url",
        "http://127.0.0.1:" + port + "/apis/registry/v3",
        "apicurio.registry.auto-register",
        "true",
        "apicurio.registry.auto-register.if-exists",
        "FIND_OR_CREATE_VERSION");
  }

  private String get(int at, String path) throws Exception {
    return stage.http("GET", "http://127.0.0.1:" + at + path, "application/json", "");
  }

  private String post(int at, String path, String body) throws Exception {
    return stage.http("POST", "http://127.0.0.1:" + at + path, "application/json", body);
  }

  private Process registry(int at) throws Exception {
    try (var files = Files.list(Path.of(System.getProperty("app")))) {
      Path jar = files.filter(f -> f.toString().endsWith("-runner.jar")).findFirst().orElseThrow();
      Process process =
          stage.spawn(
              "registry-" + at,
              List.of(
                  "java",
                  "-Xmx512m",
                  "-XX:+UseSerialGC",
                  "-XX:TieredStopAtLevel=1",
                  "-Dquarkus.http.host=127.0.0.1",
                  "-Dquarkus.http.port=" + at,
                  "-Dapicurio.storage.kind=kafkasql",
                  "-Dapicurio.kafkasql.bootstrap.servers=" + stage.bootstrap,
                  "-Dapicurio.storage.snapshot.location=" + stage.dir,
                  "-Dapicurio.storage.sql.kind=h2",
                  "-jar",
                  jar.toString()));
      stage.await("the registry is ready", () -> get(at, "/health/ready").contains("UP"));
      return process;
    }
  }
}
