package io.strandline.broker.guard.quota;

import java.util.Optional;
import org.apache.kafka.common.internals.Plugin;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.metrics.Quota;
import org.apache.kafka.common.metrics.QuotaViolationException;
import org.apache.kafka.common.metrics.Sensor;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.RequestContext;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.common.utils.Utils;
import org.apache.kafka.network.Session;
import org.apache.kafka.server.config.ClientQuotaManagerConfig;
import org.apache.kafka.server.config.QuotaConfig;
import org.apache.kafka.server.quota.ClientQuotaCallback;
import org.apache.kafka.server.quota.ClientQuotaEntity.ConfigEntity;
import org.apache.kafka.server.quota.ClientQuotaManager;
import org.apache.kafka.server.quota.QuotaType;
import org.apache.kafka.server.quota.QuotaUtils;
import org.apache.kafka.server.quota.ThrottleCallback;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Bytes produced, bytes fetched and time used, by user and client id. Costs nothing as long as no
 * quota is set.
 *
 * <p>Whoever is within his rate is given an answer whole and waits after it; as long as he is above
 * it he is given no records, over no connection, but for the one whose turn it is ({@link
 * Precedence}). So who fetches owes the time of two answers at most, however many he asks for at
 * once. Kafka also takes back the answer that breaks the quota.
 */
public final class ClientQuotas implements Quotas, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ClientQuotas.class);
  private static final String THREADS = "quota-";

  private final Time time;
  private final ClientQuotaManager produce;
  private final ClientQuotaManager fetch;
  private final RequestTime request;
  private final Precedence precedence = new Precedence();
  private final Optional<Plugin<ClientQuotaCallback>> custom;

  /**
   * @param windows {@code quota.window.num} and {@code quota.window.size.seconds}
   * @param custom says who has which quota in the place of Kafka's rules; closed with this
   */
  public ClientQuotas(
      ClientQuotaManagerConfig windows,
      Metrics metrics,
      Time time,
      Optional<Plugin<ClientQuotaCallback>> custom) {
    this.time = time;
    this.custom = custom;
    this.produce =
        new ClientQuotaManager(windows, metrics, QuotaType.PRODUCE, time, THREADS, custom);
    this.fetch = new ClientQuotaManager(windows, metrics, QuotaType.FETCH, time, THREADS, custom);
    this.request = new RequestTime(windows, metrics, time, THREADS, custom);
  }

  @Override
  public int charge(Usage usage, ThrottleCallback connection) {
    boolean counted = counted() && !usage.ofBroker();
    int saidMs = usage.answerThrottleMs();
    if (!counted && saidMs == 0) {
      return 0;
    }
    Session session = session(usage.who());
    int bandwidthMs = counted ? bandwidth(usage, session) : 0;
    int timeMs = counted && usage.answered() ? time(usage, session) : 0;
    int owedMs = Math.max(saidMs, Math.max(bandwidthMs, timeMs));
    if (owedMs > 0) {
      ClientQuotaManager broken = bandwidthMs == owedMs ? ofBandwidth(usage) : request;
      broken.throttle(usage.clientId(), session, connection, owedMs);
    }
    return owedMs;
  }

  private boolean counted() {
    return produce.quotasEnabled() || fetch.quotasEnabled() || request.quotasEnabled();
  }

  private int bandwidth(Usage usage, Session session) {
    ClientQuotaManager quota = ofBandwidth(usage);
    if (quota == request || !quota.quotasEnabled()) {
      return 0;
    }
    int bytes = quota == produce ? usage.requestBytes() : usage.answerBytesDue();
    return quota.maybeRecordAndGetThrottleTimeMs(
        session, usage.clientId(), bytes, time.milliseconds());
  }

  private ClientQuotaManager ofBandwidth(Usage usage) {
    ApiKeys api = usage.api();
    if (api == ApiKeys.PRODUCE) {
      return produce;
    }
    return api == ApiKeys.FETCH || api == ApiKeys.SHARE_FETCH ? fetch : request;
  }

  private int time(Usage usage, Session session) {
    return request.charge(session, usage.clientId(), usage.workNanos(), time.milliseconds());
  }

  @Override
  public boolean admit(RequestContext consumer, int bytes) {
    if (!fetch.quotasEnabled()) {
      return true;
    }
    Sensor quota = fetchedBy(consumer);
    long nowMs = time.milliseconds();
    if (bytes == 0) {
      return within(quota, nowMs);
    }
    synchronized (quota) { // or many who ask at once would all be found within the rate
      boolean within = within(quota, nowMs);
      boolean admitted = precedence.admits(quota, consumer.connectionId, within, nowMs);
      if (admitted) {
        quota.record(bytes, nowMs, false);
      }
      return admitted;
    }
  }

  @Override
  public void owe(RequestContext consumer, int bytes) {
    if (fetch.quotasEnabled()) {
      fetchedBy(consumer).record(bytes, time.milliseconds(), false);
    }
  }

  @Override
  public void gone(String connectionId) {
    precedence.gone(connectionId);
  }

  private Sensor fetchedBy(RequestContext consumer) {
    return fetch
        .getOrCreateQuotaSensors(session(consumer), consumer.header.clientId())
        .quotaSensor();
  }

  private static boolean within(Sensor quota, long nowMs) {
    try {
      quota.record(0, nowMs, true);
      return true;
    } catch (QuotaViolationException above) {
      return QuotaUtils.throttleTime(above, nowMs) == 0;
    }
  }

  @Override
  public int fetchBytesMax(RequestContext who) {
    return fetch.quotasEnabled()
        ? (int) fetch.maxValueInQuotaWindow(session(who), who.header.clientId())
        : Integer.MAX_VALUE;
  }

  private static Session session(RequestContext who) {
    return new Session(who.principal, who.clientAddress);
  }

  /**
   * Sets a quota or takes it away.
   *
   * @param key as {@code kafka-configs} names it; those of the controller are passed over
   * @param user with its name sanitized, or the default
   */
  void set(
      String key,
      Optional<ConfigEntity> user,
      Optional<ConfigEntity> clientId,
      Optional<Double> bound) {
    Optional<Quota> quota = bound.map(value -> new Quota(value, true));
    switch (key) {
      case QuotaConfig.PRODUCER_BYTE_RATE_OVERRIDE_CONFIG ->
          produce.updateQuota(user, clientId, quota);
      case QuotaConfig.CONSUMER_BYTE_RATE_OVERRIDE_CONFIG ->
          fetch.updateQuota(user, clientId, quota);
      case QuotaConfig.REQUEST_PERCENTAGE_OVERRIDE_CONFIG ->
          request.updateQuota(user, clientId, quota);
      case QuotaConfig.CONTROLLER_MUTATION_RATE_OVERRIDE_CONFIG -> {
        // The controller counts these itself and says in its answers how long to wait.
      }
      default -> LOG.atWarn().addKeyValue("key", key).log("no such quota");
    }
  }

  /** Quotas may be others than those that are counted against: looks all of them up again. */
  void changed() {
    produce.updateQuotaMetricConfigs();
    fetch.updateQuotaMetricConfigs();
    request.updateQuotaMetricConfigs();
  }

  @Override
  public void close() {
    produce.shutdown();
    fetch.shutdown();
    request.shutdown();
    custom.ifPresent(ClientQuotas::end);
  }

  /** A plugin closes only what Java can close by itself, which a callback need not be. */
  private static void end(Plugin<ClientQuotaCallback> plugin) {
    ClientQuotaCallback callback = plugin.get();
    if (!(callback instanceof AutoCloseable)) {
      Utils.closeQuietly(callback::close, "quota callback");
    }
    Utils.closeQuietly(plugin, "quota callback");
  }
}
