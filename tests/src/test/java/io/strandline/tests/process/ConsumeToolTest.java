package io.strandline.tests.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code strandline consume} as its users run it: a group has read what was printed, no more. */
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class ConsumeToolTest {
  private static final String TOPIC = "numbers";
  private static final Path FULL = Path.of("/dev/full");

  @TempDir private Path dir;

  @Test
  void aGroupGoesOnBehindWhatWasPrinted() throws Exception {
    try (BrokerProcess broker =
        BrokerProcess.start(
            dir.resolve("broker"), Map.of("group.initial.rebalance.delay.ms", "0"))) {
      produce(broker, 100);
      assertThat(consumed(broker, "--exit", "-n", "10")).isEqualTo(numbers(1, 10));
      assertThat(consumed(broker, "--exit", "-n", "10")).isEqualTo(numbers(11, 20));

      ToolProcess.Ended lost = ToolProcess.runInto(dir, FULL, command(broker, "-n", "10"));
      assertThat(lost.exitCode()).as(lost.err()).isEqualTo(1);
      assertThat(lost.err()).contains("No space left on device");
      assertThat(consumed(broker, "--exit", "-n", "10"))
          .as("what was lost")
          .isEqualTo(numbers(21, 30));
      assertThat(consumed(broker, "--exit")).as("the rest").isEqualTo(numbers(31, 100));
    }
  }

  @Test
  void whatIsNotForAGroupIsRefused() throws Exception {
    List<String> group = List.of("consume", TOPIC, "-g", "readers", "-b", "127.0.0.1:1");
    for (List<String> more :
        List.of(List.of("-p", "0"), List.of("-o", "7"), List.of("-o", "@2026-01-31T12:00:00Z"))) {
      List<String> command = new ArrayList<>(group);
      command.addAll(more);
      ToolProcess.Ended refused = ToolProcess.run(dir, Map.of(), command.toArray(String[]::new));
      assertThat(refused.exitCode()).as("%s%n%s", more, refused.err()).isEqualTo(2);
    }
  }

  private List<String> consumed(BrokerProcess broker, String... more) throws Exception {
    ToolProcess.Ended ended = ToolProcess.run(dir, Map.of(), command(broker, more));
    assertThat(ended.exitCode()).as(ended.err()).isZero();
    return ended.out();
  }

  private static String[] command(BrokerProcess broker, String... more) {
    List<String> command =
        new ArrayList<>(List.of("consume", TOPIC, "-g", "readers", "-b", broker.bootstrap()));
    command.addAll(List.of(more));
    return command.toArray(String[]::new);
  }

  private static List<String> numbers(int from, int to) {
    return IntStream.rangeClosed(from, to).mapToObj(String::valueOf).toList();
  }

  private static void produce(BrokerProcess broker, int count) throws Exception {
    Map<String, Object> client = Map.of("bootstrap.servers", broker.bootstrap());
    try (Admin admin = Admin.create(client)) {
      admin
          .createTopics(List.of(new NewTopic(TOPIC, 1, (short) 1)))
          .all()
          .get(30, TimeUnit.SECONDS);
    }
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(client, new ByteArraySerializer(), new ByteArraySerializer())) {
      for (String number : numbers(1, count)) {
        var unused =
            producer.send(new ProducerRecord<>(TOPIC, number.getBytes(StandardCharsets.UTF_8)));
      }
    }
  }
}
