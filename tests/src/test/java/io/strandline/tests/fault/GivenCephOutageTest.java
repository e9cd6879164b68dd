package io.strandline.tests.fault;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.process.BrokerProcess;
import io.strandline.tests.store.S3Server;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Real minutes without a real store, run by {@code tests/outage}: what producers and readers of the
 * tail notice, and how long the tier takes to catch up. Skipped unless told of a Ceph that it may
 * stop.
 */
class GivenCephOutageTest {
  private static final String CEPH = System.getProperty("outage.ceph", "");
  private static final String CEPH_DIR = System.getProperty("outage.dir", "");
  private static final boolean GONE = System.getProperty("outage.kind", "hang").equals("gone");
  private static final int MINUTES = Integer.getInteger("outage.minutes", 5);
  private static final int VALUE_BYTES = 4096;
  private static final long PERIOD_NANOS = 2_000_000; // 500 records a second

  @TempDir Path dir;
  private final AtomicBoolean stopped = new AtomicBoolean();
  private final AtomicReference<String> phase = new AtomicReference<>("warm-up");
  private final Map<String, ConcurrentLinkedQueue<Long>> produced = new HashMap<>();
  private final Map<String, ConcurrentLinkedQueue<Long>> consumed = new HashMap<>();
  private final ConcurrentLinkedQueue<Exception> failures = new ConcurrentLinkedQueue<>();

  @Test
  void producersAndReadersOfTheTailDoNotNotice() throws Exception {
    S3Server server = S3Server.fromEnvironment();
    Assumptions.assumeTrue(server != null && !CEPH.isEmpty(), "no Ceph that may be stopped");
    assert server != null;
    for (String name : List.of("warm-up", "before", "during", "after")) {
      produced.put(name, new ConcurrentLinkedQueue<>());
      consumed.put(name, new ConcurrentLinkedQueue<>());
    }
    Map<String, String> settings = new HashMap<>(Topics.BROKER);
    settings.put(
        "strandline.object.store",
        "s3://"
            + server.bucket()
            + "/outage"
            + System.nanoTime()
            + "?endpoint="
            + server.endpoint());
    settings.put("strandline.cache.memory.bytes", Integer.toString(4 << 20));
    Map<String, String> keys =
        Map.of(
            "AWS_ACCESS_KEY_ID", server.keys().accessKey(),
            "AWS_SECRET_ACCESS_KEY", server.keys().secretKey());
    try (BrokerProcess broker = BrokerProcess.start(dir.resolve("broker"), settings, keys)) {
      TopicPartition partition = Topics.create(broker.bootstrap(), "tail");
      Thread writer = new Thread(() -> write(broker.bootstrap(), partition), "writer");
      Thread reader = new Thread(() -> read(broker.bootstrap(), partition), "reader");
      writer.start();
      reader.start();
      rest(15);
      phase.set("before");
      rest(60);
      phase.set("during");
      ceph(GONE ? "kill-rgw" : "pause-osd");
      rest(60 * MINUTES);
      System.out.println("OUTAGE health: " + broker.admin("/healthz").body());
      System.out.printf(Locale.ROOT, "OUTAGE lag at its end: %s%n", lag(broker));
      ceph(GONE ? "start" : "resume-osd");
      long back = System.nanoTime();
      phase.set("after");
      Waiting.until("the lag is gone", () -> lagBytes(broker) < 3 * Topics.SEGMENT_BYTES);
      long drainedS = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - back);
      System.out.printf(Locale.ROOT, "OUTAGE drained in %d s%n", drainedS);
      rest(30);
      stopped.set(true);
      writer.join();
      reader.join();
      for (String name : List.of("before", "during", "after")) {
        System.out.printf(
            Locale.ROOT,
            "OUTAGE %-7s produce %s, hot read %s%n",
            name,
            told(produced.get(name)),
            told(consumed.get(name)));
      }
      assertThat(failures).isEmpty();
    }
  }

  private static String told(ConcurrentLinkedQueue<Long> nanos) {
    List<Long> all = new ArrayList<>(nanos);
    all.sort(null);
    return String.format(
        Locale.ROOT,
        "%d records, p50 %.1f ms, p99 %.1f ms, max %.1f ms",
        all.size(),
        all.get(all.size() / 2) / 1e6,
        all.get(all.size() * 99 / 100) / 1e6,
        all.get(all.size() - 1) / 1e6);
  }

  private static String lag(BrokerProcess broker) throws Exception {
    StringBuilder told = new StringBuilder();
    broker
        .admin("/metrics")
        .body()
        .lines()
        .filter(line -> line.startsWith("strandline_tiering_lag") && !line.endsWith(" 0.0"))
        .forEach(line -> told.append(line).append("; "));
    return told.toString();
  }

  private static double lagBytes(BrokerProcess broker) throws Exception {
    return broker
        .admin("/metrics")
        .body()
        .lines()
        .filter(line -> line.startsWith("strandline_tiering_lag_bytes"))
        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' '))))
        .sum();
  }

  private static void ceph(String verb) throws Exception {
    Process process = new ProcessBuilder(CEPH, CEPH_DIR, verb).inheritIO().start();
    assertThat(process.waitFor()).as(verb).isZero();
  }

  private static void rest(int seconds) {
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
    while (System.nanoTime() - until < 0) {
      LockSupport.parkNanos(50_000_000);
    }
  }

  private void write(String bootstrap, TopicPartition partition) {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", bootstrap);
    properties.put("acks", "all");
    properties.put("linger.ms", "0");
    try (var producer =
        new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer())) {
      long next = System.nanoTime();
      while (!stopped.get()) {
        next += PERIOD_NANOS;
        while (System.nanoTime() - next < 0) {
          LockSupport.parkNanos(Math.max(1, next - System.nanoTime()));
        }
        long sent = System.nanoTime();
        byte[] value = ByteBuffer.allocate(VALUE_BYTES).putLong(sent).array();
        String now = phase.get();
        var unused =
            producer.send(
                new ProducerRecord<>(partition.topic(), 0, null, value),
                (metadata, thrown) -> {
                  if (thrown != null) {
                    failures.add(thrown);
                  } else {
                    produced.get(now).add(System.nanoTime() - sent);
                  }
                });
      }
    } catch (RuntimeException e) {
      failures.add(e);
    }
  }

  private void read(String bootstrap, TopicPartition partition) {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", bootstrap);
    try (var consumer =
        new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      consumer.assign(List.of(partition));
      consumer.seekToBeginning(List.of(partition));
      long next = 0;
      while (!stopped.get()) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(100))) {
          if (record.offset() != next++) {
            failures.add(new IllegalStateException("offset " + record.offset()));
          }
          long sent = ByteBuffer.wrap(record.value()).getLong();
          consumed.get(phase.get()).add(System.nanoTime() - sent);
        }
      }
    } catch (RuntimeException e) {
      failures.add(e);
    }
  }
}
