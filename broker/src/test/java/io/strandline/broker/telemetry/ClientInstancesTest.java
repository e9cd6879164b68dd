package io.strandline.broker.telemetry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.errors.TelemetryTooLargeException;
import org.apache.kafka.common.errors.ThrottlingQuotaExceededException;
import org.apache.kafka.common.errors.UnknownSubscriptionIdException;
import org.apache.kafka.common.errors.UnsupportedCompressionTypeException;
import org.apache.kafka.common.message.PushTelemetryRequestData;
import org.apache.kafka.common.metadata.ConfigRecord;
import org.apache.kafka.common.network.ClientInformation;
import org.apache.kafka.common.network.ListenerName;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.RequestContext;
import org.apache.kafka.common.requests.RequestHeader;
import org.apache.kafka.common.security.auth.KafkaPrincipal;
import org.apache.kafka.common.security.auth.SecurityProtocol;
import org.apache.kafka.image.MetadataDelta;
import org.apache.kafka.image.MetadataImage;
import org.apache.kafka.image.MetadataProvenance;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ClientInstancesTest {
  private static final int BYTES_MAX = 100;
  private static final int INTERVAL_MS = 1000;

  private final AtomicLong nowMs = new AtomicLong(1_000_000);
  private final AtomicLong id = new AtomicLong(100);
  private final Subscriptions subscriptions = new Subscriptions();
  private final ClientInstances clients =
      new ClientInstances(
          subscriptions,
          BYTES_MAX,
          () -> Instant.ofEpochMilli(nowMs.get()),
          () -> new Uuid(0, id.getAndIncrement()));
  private MetadataImage image = MetadataImage.EMPTY;

  @BeforeEach
  void subscribe() {
    configure("all", Map.of("metrics", "*", "interval.ms", String.valueOf(INTERVAL_MS)));
  }

  /** A value that is empty takes the key away. */
  private void configure(String name, Map<String, String> values) {
    MetadataDelta delta = new MetadataDelta.Builder().setImage(image).build();
    values.forEach(
        (key, value) ->
            delta.replay(
                new ConfigRecord()
                    .setResourceType(ConfigResource.Type.CLIENT_METRICS.id())
                    .setResourceName(name)
                    .setName(key)
                    .setValue(value.isEmpty() ? null : value)));
    image = delta.apply(MetadataProvenance.EMPTY);
    subscriptions.onImage(delta, image);
  }

  static RequestContext client(String clientId, String connection) {
    return new RequestContext(
        new RequestHeader(ApiKeys.PUSH_TELEMETRY, (short) 0, clientId, 0),
        connection,
        InetAddress.getLoopbackAddress(),
        Optional.of(7),
        KafkaPrincipal.ANONYMOUS,
        ListenerName.normalised("PLAINTEXT"),
        SecurityProtocol.PLAINTEXT,
        ClientInformation.EMPTY,
        false,
        Optional.empty());
  }

  private static final RequestContext WHO = client("some", "c");

  private PushTelemetryRequestData push(Uuid who, int subscription) {
    return new PushTelemetryRequestData()
        .setClientInstanceId(who)
        .setSubscriptionId(subscription)
        .setMetrics(ByteBuffer.allocate(10));
  }

  private void refused(PushTelemetryRequestData push, Class<? extends ApiException> why) {
    assertThatThrownBy(() -> clients.admit(push, WHO)).isInstanceOf(why);
  }

  @Test
  void whoAsksIsToldWhatToTellAndMayAtOnce() {
    var told = clients.ask(Uuid.ZERO_UUID, WHO);
    assertThat(told.clientInstanceId()).isEqualTo(new Uuid(0, 100));
    assertThat(told.requestedMetrics()).containsExactly("*");
    assertThat(told.pushIntervalMs()).isEqualTo(INTERVAL_MS);
    assertThat(told.telemetryMaxBytes()).isEqualTo(BYTES_MAX);
    clients.admit(push(told.clientInstanceId(), told.subscriptionId()), WHO);
  }

  @Test
  void notMoreOftenThanAsked() {
    var told = clients.ask(Uuid.ZERO_UUID, WHO);
    PushTelemetryRequestData push = push(told.clientInstanceId(), told.subscriptionId());
    clients.admit(push, WHO);
    refused(push, ThrottlingQuotaExceededException.class);
    assertThatThrownBy(() -> clients.ask(told.clientInstanceId(), WHO))
        .isInstanceOf(ThrottlingQuotaExceededException.class);
    nowMs.addAndGet(INTERVAL_MS);
    clients.admit(push, WHO);
  }

  @Test
  void notMoreOftenByOtherIdsOverTheSameConnection() {
    var told = clients.ask(Uuid.ZERO_UUID, WHO);
    clients.admit(push(told.clientInstanceId(), told.subscriptionId()), WHO);
    var second = clients.ask(Uuid.ZERO_UUID, WHO);
    PushTelemetryRequestData other = push(second.clientInstanceId(), second.subscriptionId());
    refused(other, ThrottlingQuotaExceededException.class);
    refused(other.duplicate().setTerminating(true), ThrottlingQuotaExceededException.class);
    refused(
        push(told.clientInstanceId(), told.subscriptionId()),
        ThrottlingQuotaExceededException.class);
    nowMs.addAndGet(INTERVAL_MS);
    clients.admit(other, WHO);
    clients.gone("c");
    var third = clients.ask(Uuid.ZERO_UUID, WHO);
    clients.admit(push(third.clientInstanceId(), third.subscriptionId()), WHO);
  }

  @Test
  void theLastPushMayComeEarlyAndNoneAfterIt() {
    var told = clients.ask(Uuid.ZERO_UUID, WHO);
    PushTelemetryRequestData push = push(told.clientInstanceId(), told.subscriptionId());
    clients.admit(push, WHO);
    clients.admit(push.duplicate().setTerminating(true), WHO);
    nowMs.addAndGet(INTERVAL_MS);
    refused(push, InvalidRequestException.class);
  }

  @Test
  void onlyWhatWasAgreed() {
    var told = clients.ask(Uuid.ZERO_UUID, WHO);
    Uuid me = told.clientInstanceId();
    int subscription = told.subscriptionId();
    refused(push(Uuid.ZERO_UUID, subscription), InvalidRequestException.class);
    refused(push(me, subscription + 1), UnknownSubscriptionIdException.class);
    clients.ask(me, WHO); // and may ask at once
    nowMs.addAndGet(INTERVAL_MS);
    refused(
        push(me, subscription).setCompressionType((byte) 77),
        UnsupportedCompressionTypeException.class);
    nowMs.addAndGet(INTERVAL_MS);
    refused(
        push(me, subscription).setMetrics(ByteBuffer.allocate(BYTES_MAX + 1)),
        TelemetryTooLargeException.class);
    assertThat(Errors.forException(new TelemetryTooLargeException("")))
        .isEqualTo(Errors.TELEMETRY_TOO_LARGE);
  }

  @Test
  void aChangedSubscriptionIsToldAtOnce() {
    var told = clients.ask(Uuid.ZERO_UUID, WHO);
    Uuid me = told.clientInstanceId();
    clients.admit(push(me, told.subscriptionId()), WHO);
    configure("all", Map.of("metrics", "org.apache.kafka.producer."));
    refused(push(me, told.subscriptionId()), UnknownSubscriptionIdException.class);
    assertThat(clients.ask(me, WHO).requestedMetrics())
        .containsExactly("org.apache.kafka.producer.");
    configure("all", Map.of("metrics", "", "interval.ms", ""));
    assertThat(clients.ask(me, WHO).requestedMetrics()).isEmpty();
  }

  @Test
  void whoIsNotMeantIsAskedNothing() {
    configure("all", Map.of("match", "client_id=fetch.*,client_source_address=127.*"));
    assertThat(clients.ask(Uuid.ZERO_UUID, WHO).requestedMetrics()).isEmpty();
    assertThat(clients.ask(Uuid.ZERO_UUID, client("fetcher", "d")).requestedMetrics())
        .containsExactly("*");
    configure("some", Map.of("metrics", "a.,b.", "interval.ms", "200"));
    var both = clients.ask(Uuid.ZERO_UUID, client("other", "e"));
    assertThat(both.requestedMetrics()).containsExactlyInAnyOrder("a.", "b.");
    assertThat(both.pushIntervalMs()).isEqualTo(200);
  }

  @Test
  void whoComesAgainOverAnotherConnectionBeginsAnew() {
    Uuid me = clients.ask(Uuid.ZERO_UUID, WHO).clientInstanceId();
    clients.gone("c");
    assertThat(clients.count()).isZero();
    clients.ask(me, client("some", "d"));
  }

  @Test
  void neverMoreThanSoMany() {
    for (int i = 0; i < ClientInstances.COUNT_MAX + 10; i++) {
      clients.ask(Uuid.ZERO_UUID, client("flood", "c" + i));
    }
    assertThat(clients.count()).isEqualTo(ClientInstances.COUNT_MAX);
    for (int i = 0; i < 100; i++) {
      clients.ask(Uuid.ZERO_UUID, WHO); // over one connection: of them one
    }
    nowMs.addAndGet(100_000_000);
    clients.ask(Uuid.ZERO_UUID, WHO);
    assertThat(clients.count()).as("who has not come for long is forgotten").isEqualTo(1);
  }
}
