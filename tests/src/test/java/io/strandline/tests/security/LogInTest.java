package io.strandline.tests.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.tests.process.Kcat;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.DescribeConfigsOptions;
import org.apache.kafka.clients.admin.ScramCredentialInfo;
import org.apache.kafka.clients.admin.ScramMechanism;
import org.apache.kafka.clients.admin.UserScramCredentialDeletion;
import org.apache.kafka.clients.admin.UserScramCredentialUpsertion;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.SaslAuthenticationException;
import org.apache.kafka.common.errors.SslAuthenticationException;
import org.apache.kafka.common.errors.UnsupportedSaslMechanismException;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Real clients are let in over each protocol and mechanism, and not without the right secret. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class LogInTest {
  private static final String BOB_PASSWORD = "hush-bob-11dd";

  private Path dir;
  private Secured secured;
  private SecureNode node;
  private final Overheard log = new Overheard();

  @BeforeAll
  void start(@TempDir Path temporary) throws Exception {
    dir = temporary;
    log.begin();
    secured = new Secured(dir);
    node = new SecureNode(dir, secured.settings());
    try (Admin admin = node.admin("PLAIN", Secured.admin())) {
      for (ScramMechanism mechanism :
          List.of(ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512)) {
        SecureNode.get(admin.alterUserScramCredentials(List.of(upsert("bob", mechanism))).all());
      }
    }
  }

  private static UserScramCredentialUpsertion upsert(String user, ScramMechanism mechanism) {
    return new UserScramCredentialUpsertion(
        user, new ScramCredentialInfo(mechanism, 4096), BOB_PASSWORD);
  }

  @AfterAll
  void stop() {
    node.close();
    log.end();
  }

  /** As in Apache Kafka; a renewal would have to be a second after the log-in at the earliest. */
  @Test
  void aSessionWithoutAnEndIsNotRenewed() throws Exception {
    try (RawClient client = new RawClient(node.port("PLAIN"))) {
      client.handshake(1, "PLAIN");
      client.authenticate(RawClient.plain("alice", Secured.ALICE_PASSWORD));
      long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(1_100);
      while (System.nanoTime() < until) {
        client.versions();
      }
      assertThat(client.handshake(1, "PLAIN").error()).isEqualTo(Errors.ILLEGAL_SASL_STATE);
      assertThat(client.versions().errorCounts()).containsKey(Errors.NONE);
    }
  }

  @Test
  void byTls() {
    node.journey("TLS", secured.tls(), "by-tls");
    node.journey("PEM", secured.tls(), "by-pem");
    node.journey("MTLS", secured.mutual(), "by-mtls");
  }

  @Test
  void byPassword() {
    node.journey("PLAIN", Secured.plain("alice", Secured.ALICE_PASSWORD), "by-plain");
    node.journey("SCRAM", secured.scram("SCRAM-SHA-256", "bob", BOB_PASSWORD), "by-scram-256");
    node.journey("SCRAM", secured.scram("SCRAM-SHA-512", "bob", BOB_PASSWORD), "by-scram-512");
  }

  @Test
  void byToken() throws Exception {
    Path token = secured.tokens.token("carol.jwt", "carol", 600);
    node.journey("OAUTH", secured.bearer(token), "by-token");
    node.journey("DEV", Secured.unsigned("dave", 3600), "by-unsigned-token");
  }

  @Test
  void byLibrdkafka() throws Exception {
    Assumptions.assumeTrue(Kcat.onPath(), "no kcat here");
    String ca = new Certificates(dir).pemOf("ca.pem", secured.serverKey).toString();
    String[] tls = {"security.protocol=ssl", "ssl.ca.location=" + ca};
    assertThat(kcat("TLS", tls)).contains("1 brokers");
    String[] mutual = {
      "security.protocol=ssl",
      "ssl.ca.location=" + ca,
      "ssl.keystore.location=" + secured.clientKey,
      "ssl.keystore.password=" + Certificates.PASSWORD
    };
    assertThat(kcat("MTLS", mutual)).contains("1 brokers");
    String[] plain = {
      "security.protocol=sasl_plaintext",
      "sasl.mechanisms=PLAIN",
      "sasl.username=alice",
      "sasl.password=" + Secured.ALICE_PASSWORD
    };
    assertThat(kcat("PLAIN", plain)).contains("1 brokers");
    plain[3] = "sasl.password=hush-wrong-22ee";
    assertThat(kcat("PLAIN", plain)).contains("Authentication failed");
  }

  /** Asks for metadata and gives what kcat prints. */
  private String kcat(String listener, String... settings) throws Exception {
    List<String> command =
        new ArrayList<>(List.of("kcat", "-L", "-m", "5", "-b", "127.0.0.1:" + node.port(listener)));
    for (String setting : settings) {
      command.addAll(List.of("-X", setting));
    }
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    return said;
  }

  @Test
  void notWithAWrongSecret() throws Exception {
    refused("PLAIN", Secured.plain("alice", "hush-wrong-22ee"), SaslAuthenticationException.class);
    refused("PLAIN", Secured.plain("nobody", "hush-wrong-22ee"), SaslAuthenticationException.class);
    refused(
        "SCRAM",
        secured.scram("SCRAM-SHA-512", "bob", "hush-wrong-22ee"),
        SaslAuthenticationException.class);
    Map<String, String> other = new HashMap<>(secured.tls());
    other.putAll(Secured.plain("alice", Secured.ALICE_PASSWORD));
    other.put("security.protocol", "SASL_SSL");
    refused("SCRAM", other, UnsupportedSaslMechanismException.class);
    refused("MTLS", secured.tls(), SslAuthenticationException.class);
    Path late = secured.tokens.token("late.jwt", "carol", -60);
    refused("OAUTH", secured.bearer(late), SaslAuthenticationException.class);
    Tokens forger = new Tokens(dir);
    refused(
        "OAUTH",
        secured.bearer(forger.token("forged.jwt", "carol", 600)),
        SaslAuthenticationException.class);
  }

  private void refused(
      String listener, Map<String, String> client, Class<? extends Exception> why) {
    try (Admin admin = node.admin(listener, client)) {
      assertThatThrownBy(() -> SecureNode.get(admin.describeCluster().nodes())).isInstanceOf(why);
    }
  }

  @Test
  void noMoreOnceTheUserIsGone() {
    try (Admin admin = node.admin("PLAIN", Secured.admin())) {
      SecureNode.get(
          admin
              .alterUserScramCredentials(List.of(upsert("erin", ScramMechanism.SCRAM_SHA_256)))
              .all());
      Map<String, String> erin = secured.scram("SCRAM-SHA-256", "erin", BOB_PASSWORD);
      try (Admin in = node.admin("SCRAM", erin)) {
        SecureNode.get(in.describeCluster().nodes());
      }
      assertThat(SecureNode.get(admin.describeUserScramCredentials().all()))
          .containsKeys("bob", "erin");
      SecureNode.get(
          admin
              .alterUserScramCredentials(
                  List.of(new UserScramCredentialDeletion("erin", ScramMechanism.SCRAM_SHA_256)))
              .all());
      refused("SCRAM", erin, SaslAuthenticationException.class);
    }
  }

  @Test
  void historyIsWholeThroughTls() {
    byte[] noise = new byte[3000];
    Random random = new Random(7);
    List<String> sent = new ArrayList<>();
    Map<String, String> client = new HashMap<>(secured.tls());
    client.put("batch.size", "500000");
    client.put("linger.ms", "20");
    try (KafkaProducer<String, String> producer = node.producer("TLS", client)) {
      for (int i = 0; i < 2000; i++) {
        random.nextBytes(noise);
        sent.add(Arrays.toString(noise).substring(0, 5000));
        var unused =
            producer.send(
                new org.apache.kafka.clients.producer.ProducerRecord<>("large", sent.get(i)));
      }
      producer.flush();
    }
    client.put("fetch.min.bytes", "4000000");
    client.put("max.partition.fetch.bytes", "8000000");
    client.put("max.poll.records", "5000");
    List<String> read = new ArrayList<>();
    try (KafkaConsumer<String, String> consumer = node.consumer("TLS", client)) {
      TopicPartition partition = new TopicPartition("large", 0);
      consumer.assign(List.of(partition));
      consumer.seekToBeginning(List.of(partition));
      SecureNode.await(
          "all of it",
          () -> {
            for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(200))) {
              read.add(record.value());
            }
            return read.size() >= sent.size();
          });
    }
    assertThat(read).isEqualTo(sent);
  }

  @Test
  void noSecretIsTold() throws Exception {
    notWithAWrongSecret();
    byPassword();
    try (Admin admin = node.admin("PLAIN", Secured.admin())) {
      ConfigResource broker = new ConfigResource(ConfigResource.Type.BROKER, "1");
      Config config =
          SecureNode.get(
                  admin
                      .describeConfigs(
                          List.of(broker), new DescribeConfigsOptions().includeSynonyms(true))
                      .all())
              .get(broker);
      assertThat(config.entries()).isNotEmpty();
      assertThat(config.toString()).doesNotContain("hush-");
      String key = "listener.name.tls.ssl.keystore.password";
      assertThat(config.entries())
          .anyMatch(e -> e.name().equals(key) && e.value() == null && e.isSensitive());
    }
    assertThat(log.lines).anyMatch(line -> line.contains("authentication by PLAIN failed"));
    assertThat(log.lines).noneMatch(line -> line.contains("hush-"));
  }
}
