package io.strandline.tests.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.common.message.ApiMessageType.ListenerType;
import org.apache.kafka.common.message.ApiVersionsResponseData.ApiVersion;
import org.apache.kafka.common.protocol.ApiKeys;

/**
 * The table of APIs in {@code docs/compatibility.md}, between two marks: written anew with {@code
 * -Dstrandline.docs.write=true}.
 */
final class ApiDocument {
  private static final Path DOCUMENT = Path.of("..", "docs", "compatibility.md");
  private static final String BEGIN = "<!-- APIs: generated -->\n";
  private static final String END = "<!-- APIs: end -->\n";

  /** Who sends it in earnest, beside the test that sends every version of everything. */
  private static final Map<ApiKeys, String> TESTS = new EnumMap<>(ApiKeys.class);

  private static void by(String test, ApiKeys... apis) {
    for (ApiKeys api : apis) {
      TESTS.merge(api, test, (one, other) -> one + ", " + other);
    }
  }

  static {
    by(
        "ClientJourneyTest",
        ApiKeys.PRODUCE,
        ApiKeys.FETCH,
        ApiKeys.LIST_OFFSETS,
        ApiKeys.METADATA,
        ApiKeys.OFFSET_COMMIT,
        ApiKeys.OFFSET_FETCH,
        ApiKeys.FIND_COORDINATOR,
        ApiKeys.JOIN_GROUP,
        ApiKeys.HEARTBEAT,
        ApiKeys.LEAVE_GROUP,
        ApiKeys.SYNC_GROUP,
        ApiKeys.LIST_GROUPS,
        ApiKeys.CREATE_TOPICS,
        ApiKeys.DELETE_TOPICS,
        ApiKeys.DELETE_RECORDS,
        ApiKeys.CREATE_PARTITIONS,
        ApiKeys.DELETE_GROUPS,
        ApiKeys.DESCRIBE_CONFIGS,
        ApiKeys.CONSUMER_GROUP_HEARTBEAT,
        ApiKeys.CONSUMER_GROUP_DESCRIBE);
    by(
        "EveryVersionTest",
        ApiKeys.FETCH,
        ApiKeys.LIST_OFFSETS,
        ApiKeys.METADATA,
        ApiKeys.DELETE_RECORDS,
        ApiKeys.DESCRIBE_GROUPS,
        ApiKeys.INIT_PRODUCER_ID);
    by(
        "OperatorJourneyTest",
        ApiKeys.DESCRIBE_LOG_DIRS,
        ApiKeys.INCREMENTAL_ALTER_CONFIGS,
        ApiKeys.OFFSET_DELETE,
        ApiKeys.DESCRIBE_QUORUM,
        ApiKeys.DESCRIBE_CLUSTER,
        ApiKeys.DESCRIBE_PRODUCERS,
        ApiKeys.LIST_CONFIG_RESOURCES,
        ApiKeys.DESCRIBE_TOPIC_PARTITIONS);
    by(
        "TransactionJourneyTest",
        ApiKeys.INIT_PRODUCER_ID,
        ApiKeys.ADD_PARTITIONS_TO_TXN,
        ApiKeys.ADD_OFFSETS_TO_TXN,
        ApiKeys.END_TXN,
        ApiKeys.WRITE_TXN_MARKERS,
        ApiKeys.TXN_OFFSET_COMMIT,
        ApiKeys.DESCRIBE_TRANSACTIONS,
        ApiKeys.LIST_TRANSACTIONS,
        ApiKeys.UPDATE_FEATURES);
    by("AccessTest", ApiKeys.DESCRIBE_ACLS, ApiKeys.CREATE_ACLS, ApiKeys.DELETE_ACLS);
    by(
        "LogInTest",
        ApiKeys.SASL_HANDSHAKE,
        ApiKeys.SASL_AUTHENTICATE,
        ApiKeys.DESCRIBE_USER_SCRAM_CREDENTIALS,
        ApiKeys.ALTER_USER_SCRAM_CREDENTIALS);
    by(
        "DelegationTokenTest",
        ApiKeys.CREATE_DELEGATION_TOKEN,
        ApiKeys.RENEW_DELEGATION_TOKEN,
        ApiKeys.EXPIRE_DELEGATION_TOKEN,
        ApiKeys.DESCRIBE_DELEGATION_TOKEN);
    by("QuotaTest", ApiKeys.DESCRIBE_CLIENT_QUOTAS, ApiKeys.ALTER_CLIENT_QUOTAS);
    by("ClientMetricsTest", ApiKeys.GET_TELEMETRY_SUBSCRIPTIONS, ApiKeys.PUSH_TELEMETRY);
    by(
        "ShareJourneyTest",
        ApiKeys.SHARE_GROUP_HEARTBEAT,
        ApiKeys.SHARE_GROUP_DESCRIBE,
        ApiKeys.SHARE_FETCH,
        ApiKeys.SHARE_ACKNOWLEDGE,
        ApiKeys.DESCRIBE_SHARE_GROUP_OFFSETS,
        ApiKeys.ALTER_SHARE_GROUP_OFFSETS,
        ApiKeys.DELETE_SHARE_GROUP_OFFSETS);
    by("StreamsGroupTest", ApiKeys.STREAMS_GROUP_HEARTBEAT, ApiKeys.STREAMS_GROUP_DESCRIBE);
  }

  private ApiDocument() {}

  /** Fails unless the document has the table as it follows from what is advertised. */
  static void check(Map<ApiKeys, ApiVersion> advertised) throws IOException {
    assertThat(testClasses()).containsAll(named());
    String document = Files.readString(DOCUMENT);
    int begin = document.indexOf(BEGIN) + BEGIN.length();
    int end = document.indexOf(END);
    assertThat(end).as("the marks in the document").isGreaterThanOrEqualTo(begin);
    String wanted = document.substring(0, begin) + table(advertised) + document.substring(end);
    if (Boolean.getBoolean("strandline.docs.write")) {
      Files.writeString(DOCUMENT, wanted);
    }
    assertThat(Files.readString(DOCUMENT))
        .as("docs/compatibility.md is stale; it says itself how to write it anew")
        .isEqualTo(wanted);
  }

  private static Set<String> named() {
    Set<String> names = new TreeSet<>(Set.of("EveryApiTest"));
    TESTS.values().forEach(tests -> names.addAll(List.of(tests.split(", "))));
    return names;
  }

  private static Set<String> testClasses() throws IOException {
    try (Stream<Path> files = Files.walk(Path.of("src", "test", "java"))) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.endsWith("Test.java"))
          .map(name -> name.substring(0, name.length() - ".java".length()))
          .collect(Collectors.toSet());
    }
  }

  private static String table(Map<ApiKeys, ApiVersion> advertised) {
    StringBuilder out =
        new StringBuilder(
            "| key | API | Kafka 4.3 | broker | controller | tests |\n|---|---|---|---|---|---|\n");
    for (ApiKeys api : ApiKeys.values()) {
      ApiVersion ours = advertised.get(api);
      out.append(
          String.format(
              "| %d | %s | %s | %s | %s | %s |%n",
              api.id,
              api.name,
              kafka(api),
              ours == null ? "" : range(oldest(api, ours), ours.maxVersion()),
              api.hasValidVersion() && api.inScope(ListenerType.CONTROLLER)
                  ? range(api.oldestVersion(), api.latestVersion(false))
                  : "",
              ours == null ? why(api) : tests(api)));
    }
    return out.toString();
  }

  /**
   * Produce is advertised from 0 on for the sake of old clients, as by Kafka, and served from 3.
   */
  private static short oldest(ApiKeys api, ApiVersion ours) {
    return (short) Math.max(api.oldestVersion(), ours.minVersion());
  }

  private static String kafka(ApiKeys api) {
    if (!api.hasValidVersion()) {
      return "none";
    }
    String all = range(api.oldestVersion(), api.latestVersion());
    return api.latestVersion() == api.latestVersion(false)
        ? all
        : all + ", unstable from " + (api.latestVersion(false) + 1);
  }

  private static String range(short from, short to) {
    return from == to ? String.valueOf(from) : from + " to " + to;
  }

  private static String tests(ApiKeys api) {
    return TESTS.getOrDefault(api, "EveryApiTest");
  }

  private static String why(ApiKeys api) {
    return api.hasValidVersion()
        ? "not of brokers, in Kafka neither"
        : "went with ZooKeeper: Kafka 4 has no version of it";
  }
}
