package io.strandline.ecosystem;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.connect.mirror.RemoteClusterUtils;

/**
 * MirrorMaker 2 from Apache Kafka (a) to the broker (b) and back, exactly once; groups move over.
 */
final class Case {
  private static final Duration PATIENCE = Duration.ofMinutes(1);

  private final Stage stage;
  private final String a;
  private final String b;
  private final long begin = System.currentTimeMillis() - 3_600_000;

  private Case(Stage stage) throws Exception {
    this.stage = stage;
    a = ApacheKafka.start(stage);
    b = stage.bootstrap;
  }

  public static void main(String[] args) {
    Stage.run(stage -> new Case(stage).play());
  }

  private void play() throws Exception {
    try (Admin there = stage.admin(a);
        Admin here = stage.admin(b)) {
      there
          .createTopics(
              List.of(
                  new NewTopic("orders", 3, (short) 1)
                      .configs(Map.of("retention.ms", "345600000", "max.message.bytes", "2000000")),
                  new NewTopic("prices", 1, (short) 1)
                      .configs(Map.of("cleanup.policy", "compact"))))
          .all()
          .get();
      here.createTopics(List.of(new NewTopic("returns", 2, (short) 1))).all().get();
      there.createAcls(List.of(readBy("User:alice", "orders"))).all().get();
      write(a, "orders", 0, 3_000);
      write(a, "prices", 0, 100);
      Set<String> shopped = read(a, "shop", "orders", r -> r.size() >= 1_000);
      Process mirror = mirror();
      stage.await(
          "topics are there",
          () -> here.listTopics().names().get().containsAll(Set.of("a.orders", "a.prices")));
      stage.await("mirroring has begun", () -> !stage.committed(b, "a.orders").isEmpty());
      Process next = killed(mirror);
      same("orders", a, "a.orders", b);
      same("prices", a, "a.prices", b);
      configsAndAcls(here);
      moveOver(shopped, here);
      write(b, "returns", 0, 1_000);
      stage.await("topics come back", () -> there.listTopics().names().get().contains("b.returns"));
      same("returns", b, "b.returns", a);
      innerTopics(here);
      next.destroy();
      stage.check("MirrorMaker ends", next.waitFor() >= 0);
    }
  }

  /** More is written while MirrorMaker is killed, and the broker after it. */
  private Process killed(Process mirror) throws Exception {
    write(a, "orders", 3_000, 3_000);
    mirror.destroyForcibly().waitFor();
    write(a, "orders", 6_000, 3_000);
    Process next = mirror();
    stage.await("mirroring goes on", () -> stage.committed(b, "a.orders").size() > 3_000);
    write(a, "orders", 9_000, 3_000);
    stage.restartBroker();
    return next;
  }

  private void same(String topic, String from, String mirrored, String to) throws Exception {
    List<String> wanted = contents(from, topic);
    stage.await(
        "all of " + mirrored + " is there",
        () -> stage.committed(to, mirrored).size() >= wanted.size());
    stage.equal(
        mirrored + " is " + topic + " by partition, key, value, headers and time",
        wanted,
        contents(to, mirrored));
  }

  private List<String> contents(String address, String topic) {
    return stage.committed(address, topic).stream()
        .map(
            r ->
                r.partition()
                    + "/"
                    + Stage.text(r.key())
                    + "/"
                    + Stage.text(r.value())
                    + "/"
                    + r.timestamp()
                    + "/"
                    + r.timestampType()
                    + "/"
                    + Arrays.stream(r.headers().toArray())
                        .map(h -> h.key() + "=" + Stage.text(h.value()))
                        .toList())
        .toList();
  }

  private void configsAndAcls(Admin here) throws Exception {
    stage.await(
        "settings are those of orders",
        () -> config(here, "a.orders", "retention.ms").equals("345600000"));
    stage.equal("each of them", "2000000", config(here, "a.orders", "max.message.bytes"));
    stage.await(
        "settings are those of prices",
        () -> config(here, "a.prices", "cleanup.policy").equals("compact"));
    stage.equal(
        "partitions are those of orders",
        3,
        here.describeTopics(List.of("a.orders"))
            .allTopicNames()
            .get()
            .get("a.orders")
            .partitions()
            .size());
    stage.await(
        "the right to read is there",
        () ->
            here.describeAcls(AclBindingFilter.ANY)
                .values()
                .get()
                .contains(readBy("User:alice", "a.orders")));
  }

  /**
   * A group that stopped half-way loses nothing, one that was at the end reads what comes later.
   */
  private void moveOver(Set<String> shopped, Admin here) throws Exception {
    Set<String> all = new HashSet<>(stage.values(a, "orders"));
    stage.equal(
        "bill reads all there", all, read(a, "bill", "orders", r -> r.size() >= all.size()));
    Map<TopicPartition, Long> ends = new HashMap<>();
    for (ConsumerRecord<byte[], byte[]> record : stage.committed(b, "a.orders")) {
      ends.put(new TopicPartition("a.orders", record.partition()), record.offset() + 1);
    }
    // MirrorMaker may keep the last of its syncs until there are more records: not beyond the end,
    // and little before it.
    stage.await(
        "bill's offsets are there", () -> offsets(here, "bill").keySet().equals(ends.keySet()));
    stage.check("and not beyond the last records", within(offsets(here, "bill"), ends));
    var translated =
        RemoteClusterUtils.translateOffsets(Map.of("bootstrap.servers", b), "a", "bill", PATIENCE);
    Map<TopicPartition, Long> told = new HashMap<>();
    translated.forEach((p, o) -> told.put(p, o.offset()));
    told.keySet().retainAll(ends.keySet());
    stage.check("nor are those its client tells", told.size() == ends.size() && within(told, ends));
    stage.await("shop's offsets are there", () -> !offsets(here, "shop").isEmpty());
    write(a, "orders", 12_000, 500);
    all.addAll(stage.values(a, "orders"));
    stage.await(
        "what came later is there too", () -> stage.committed(b, "a.orders").size() == all.size());
    Set<String> both = new HashSet<>(shopped);
    both.addAll(
        read(
            b,
            "shop",
            "a.orders",
            r -> r.size() + shopped.size() >= all.size() && holds(r, shopped, all)));
    stage.equal("shop goes on here and misses nothing", all, both);
    Set<String> later = new HashSet<>();
    IntStream.range(12_000, 12_500).forEach(i -> later.add("orders " + i));
    Set<String> billed = read(b, "bill", "a.orders", r -> r.containsAll(later));
    stage.check("bill misses nothing that came later", billed.containsAll(later));
    stage.check("and reads little twice", billed.size() < all.size() / 4);
  }

  private static boolean within(Map<TopicPartition, Long> offsets, Map<TopicPartition, Long> ends) {
    return offsets.entrySet().stream().allMatch(o -> o.getValue() <= ends.get(o.getKey()));
  }

  private void innerTopics(Admin here) throws Exception {
    Collection<String> topics = here.listTopics().names().get();
    List<String> compacted =
        List.of(
            "mm2-configs.a.internal",
            "mm2-offsets.a.internal",
            "mm2-status.a.internal",
            "a.checkpoints.internal",
            "mm2-offset-syncs.a.internal");
    stage.check(
        "MirrorMaker's topics are there",
        topics.containsAll(compacted) && topics.containsAll(Set.of("heartbeats", "a.heartbeats")));
    for (String topic : compacted) {
      stage.equal(topic + " is compacted", "compact", config(here, topic, "cleanup.policy"));
    }
    stage.equal(
        "heartbeats name the cluster",
        Set.of("a"),
        RemoteClusterUtils.upstreamClusters(Map.of("bootstrap.servers", b)));
  }

  private static AclBinding readBy(String principal, String topic) {
    return new AclBinding(
        new ResourcePattern(ResourceType.TOPIC, topic, PatternType.LITERAL),
        new AccessControlEntry(principal, "*", AclOperation.READ, AclPermissionType.ALLOW));
  }

  private static String config(Admin admin, String topic, String key) throws Exception {
    var resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
    return admin.describeConfigs(List.of(resource)).all().get().get(resource).get(key).value();
  }

  private static Map<TopicPartition, Long> offsets(Admin admin, String group) throws Exception {
    Map<TopicPartition, Long> offsets = new HashMap<>();
    Map<TopicPartition, OffsetAndMetadata> all =
        admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
    all.forEach((p, o) -> offsets.put(p, o.offset()));
    return offsets;
  }

  private void write(String address, String topic, int first, int count) {
    try (var producer = stage.producer(address)) {
      for (int i = first; i < first + count; i++) {
        var record =
            new ProducerRecord<>(topic, null, begin + i, "key " + i % 100, topic + " " + i);
        record
            .headers()
            .add("number", ("" + i).getBytes())
            .add("none", null)
            .add("bytes", ByteBuffer.allocate(4).putInt(i & 0x7f7f7f7f).array());
        producer.send(record);
      }
    }
  }

  private static boolean holds(Set<String> here, Set<String> there, Set<String> all) {
    Set<String> both = new HashSet<>(there);
    both.addAll(here);
    return both.equals(all);
  }

  /** Reads as a member of the group until it has enough, and commits just behind them. */
  private Set<String> read(
      String address, String group, String topic, Predicate<Set<String>> enough) {
    Set<String> read = new HashSet<>();
    Map<String, String> more =
        Map.of("group.id", group, "isolation.level", "read_committed", "max.poll.records", "100");
    int empty = 0;
    try (var consumer = stage.consumer(address, more)) {
      consumer.subscribe(List.of(topic));
      while (!enough.test(read) && empty < 100) {
        var records = consumer.poll(Duration.ofMillis(300));
        empty = records.isEmpty() ? empty + 1 : 0;
        records.forEach(r -> read.add(Stage.text(r.value())));
      }
      consumer.commitSync();
    }
    return read;
  }

  private Process mirror() throws Exception {
    Path file =
        stage.config(
            "mirror.properties",
            "mirror.properties",
            List.of(
                "a.bootstrap.servers=" + a,
                "b.bootstrap.servers=" + b,
                "listeners=http://127.0.0.1:" + Stage.freePort()));
    return stage.java(
        "mirror",
        List.of("-Xmx512m"),
        "org.apache.kafka.connect.mirror.MirrorMaker",
        file.toString());
  }
}
