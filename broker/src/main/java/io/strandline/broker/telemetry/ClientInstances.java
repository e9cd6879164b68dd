package io.strandline.broker.telemetry;

import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.errors.TelemetryTooLargeException;
import org.apache.kafka.common.errors.ThrottlingQuotaExceededException;
import org.apache.kafka.common.errors.UnknownSubscriptionIdException;
import org.apache.kafka.common.errors.UnsupportedCompressionTypeException;
import org.apache.kafka.common.message.GetTelemetrySubscriptionsResponseData;
import org.apache.kafka.common.message.PushTelemetryRequestData;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.requests.RequestContext;
import org.apache.kafka.common.utils.Crc32C;
import org.apache.kafka.server.metrics.ClientMetricsInstance;
import org.apache.kafka.server.metrics.ClientMetricsInstanceMetadata;
import org.jspecify.annotations.Nullable;

/**
 * The clients that ask what they shall tell, with what they were answered and when they came: never
 * more than {@link #COUNT_MAX}, the one unused for the longest goes first. Whoever comes more often
 * than he was asked to is refused, and so is who pushes by another id over the same connection: ids
 * are the client's to choose. Any thread.
 */
final class ClientInstances {
  /** As Kafka's. */
  static final int COUNT_MAX = 16_384;

  private static final int KEPT_MS_MIN = 60_000;

  private static final List<Byte> COMPRESSIONS =
      List.of(
          CompressionType.ZSTD.id,
          CompressionType.LZ4.id,
          CompressionType.GZIP.id,
          CompressionType.SNAPPY.id);

  private final Subscriptions subscriptions;
  private final int bytesMax;
  private final InstantSource clock;
  private final Supplier<Uuid> ids;
  private final Map<Uuid, Client> byId = new LinkedHashMap<>(16, 0.75f, true);
  private final Map<String, Uuid> byConnection = new HashMap<>();
  private final Map<String, Pushed> pushed = new HashMap<>();

  /** A client, the connection over which it last came, and when. */
  private record Client(ClientMetricsInstance instance, String connection, long seenMs) {}

  /** The last push over a connection that was let in, and when the next may come. */
  private record Pushed(Uuid by, long nextMs) {}

  ClientInstances(
      Subscriptions subscriptions, int bytesMax, InstantSource clock, Supplier<Uuid> ids) {
    this.ids = ids;
    this.subscriptions = subscriptions;
    this.bytesMax = bytesMax;
    this.clock = clock;
  }

  /** How long something is kept of a client that pushes so often. */
  static long keptMs(int pushIntervalMs) {
    return Math.max(KEPT_MS_MIN, 3L * pushIntervalMs);
  }

  synchronized int count() {
    return byId.size();
  }

  /** No more comes over the connection: its client begins anew if it comes by another. */
  synchronized void gone(String connection) {
    pushed.remove(connection);
    Uuid id = byConnection.remove(connection);
    if (id != null) {
      byId.remove(id);
    }
  }

  /**
   * What the client shall tell.
   *
   * @param given the id it was given before, or {@link Uuid#ZERO_UUID}
   * @throws ThrottlingQuotaExceededException when it was told a moment ago
   */
  synchronized GetTelemetrySubscriptionsResponseData ask(Uuid given, RequestContext who) {
    long nowMs = clock.millis();
    Uuid id = given.equals(Uuid.ZERO_UUID) ? ids.get() : given;
    ClientMetricsInstance instance = instance(id, who, nowMs);
    boolean mustAsk =
        instance.lastKnownError() == Errors.UNKNOWN_SUBSCRIPTION_ID
            || instance.lastKnownError() == Errors.UNSUPPORTED_COMPRESSION_TYPE;
    if (!instance.maybeUpdateGetRequestTimestamp(nowMs) && !mustAsk) {
      throw new ThrottlingQuotaExceededException("asked again before the time to push");
    }
    instance.lastKnownError(Errors.NONE);
    return new GetTelemetrySubscriptionsResponseData()
        .setClientInstanceId(id)
        .setSubscriptionId(instance.subscriptionId())
        .setRequestedMetrics(new ArrayList<>(instance.metrics()))
        .setAcceptedCompressionTypes(COMPRESSIONS)
        .setPushIntervalMs(instance.pushIntervalMs())
        .setTelemetryMaxBytes(bytesMax)
        .setDeltaTemporality(true);
  }

  /**
   * Lets a push in.
   *
   * @return the client, whose {@code lastKnownError} the caller sets to what comes of it
   * @throws org.apache.kafka.common.errors.ApiException when it may not push, or not this
   */
  synchronized ClientMetricsInstance admit(PushTelemetryRequestData push, RequestContext who) {
    Uuid id = push.clientInstanceId();
    if (id == null || Uuid.RESERVED.contains(id)) {
      throw new InvalidRequestException("no client has the instance id " + id);
    }
    long nowMs = clock.millis();
    Pushed last = pushed.get(who.connectionId);
    boolean changed = last != null && !(last.by.equals(id) && byId.containsKey(id));
    if (last != null && changed && nowMs < last.nextMs) {
      throw new ThrottlingQuotaExceededException("pushed as somebody else a moment ago");
    }
    ClientMetricsInstance instance = instance(id, who, nowMs);
    try {
      check(push, instance, nowMs);
      pushed.put(who.connectionId, new Pushed(id, nowMs + instance.pushIntervalMs()));
      return instance;
    } catch (RuntimeException e) {
      instance.lastKnownError(Errors.forException(e));
      throw e;
    } finally {
      instance.terminating(push.terminating());
    }
  }

  private void check(PushTelemetryRequestData push, ClientMetricsInstance instance, long nowMs) {
    if (instance.terminating()) {
      throw new InvalidRequestException("the client said before that this was its last push");
    }
    if (!instance.maybeUpdatePushRequestTimestamp(nowMs) && !push.terminating()) {
      throw new ThrottlingQuotaExceededException("pushed again before the time to push");
    }
    if (push.subscriptionId() != instance.subscriptionId()) {
      throw new UnknownSubscriptionIdException("the client must ask anew what it shall tell");
    }
    if (!known(push.compressionType())) {
      throw new UnsupportedCompressionTypeException("no compression: " + push.compressionType());
    }
    if (push.metrics() != null && push.metrics().remaining() > bytesMax) {
      throw new TelemetryTooLargeException("more than " + bytesMax + " bytes");
    }
  }

  private static boolean known(byte compression) {
    try {
      return CompressionType.forId(compression) != null;
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  // ---- who is here

  private ClientMetricsInstance instance(Uuid id, RequestContext who, long nowMs) {
    Client before = byId.get(id);
    boolean stays = before != null && !over(before, nowMs);
    ClientMetricsInstance instance;
    if (before == null || !stays) {
      instance = made(id, new ClientMetricsInstanceMetadata(id, who));
    } else if (before.instance.subscriptionVersion() != subscriptions.version()) {
      instance = made(id, before.instance.instanceMetadata());
    } else {
      instance = before.instance;
    }
    put(id, before, new Client(instance, who.connectionId, nowMs));
    makeRoom(nowMs);
    return instance;
  }

  private ClientMetricsInstance made(Uuid id, ClientMetricsInstanceMetadata client) {
    Subscriptions.Wanted wanted = subscriptions.of(client);
    byte[] text =
        (wanted.metrics().toString() + wanted.intervalMs()).getBytes(StandardCharsets.UTF_8);
    int subscription = (int) Crc32C.compute(text, 0, text.length) ^ id.hashCode();
    return new ClientMetricsInstance(
        id, client, subscription, wanted.version(), wanted.metrics(), wanted.intervalMs());
  }

  private void put(Uuid id, @Nullable Client before, Client now) {
    if (before != null) {
      byConnection.remove(before.connection, id);
    }
    Uuid other = byConnection.put(now.connection, id);
    if (other != null && !other.equals(id)) {
      byId.remove(other); // one client a connection
    }
    byId.put(id, now);
  }

  private void makeRoom(long nowMs) {
    Iterator<Map.Entry<Uuid, Client>> eldest = byId.entrySet().iterator();
    while (eldest.hasNext()) {
      Map.Entry<Uuid, Client> next = eldest.next();
      if (byId.size() <= COUNT_MAX && !over(next.getValue(), nowMs)) {
        return;
      }
      byConnection.remove(next.getValue().connection, next.getKey());
      eldest.remove();
    }
  }

  private static boolean over(Client client, long nowMs) {
    return nowMs - client.seenMs > keptMs(client.instance.pushIntervalMs());
  }
}
