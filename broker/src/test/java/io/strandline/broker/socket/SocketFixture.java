package io.strandline.broker.socket;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.broker.guard.identity.NodeSecurity;
import io.strandline.broker.guard.quota.ConnectionLimits;
import io.strandline.broker.guard.quota.ConnectionQuotas;
import io.strandline.broker.guard.quota.Quotas;
import io.strandline.broker.guard.quota.Usage;
import io.strandline.broker.observe.kafka.KafkaMeters;
import io.strandline.broker.request.ApiTable;
import io.strandline.broker.request.Dispatcher;
import io.strandline.broker.request.Handler;
import io.strandline.broker.request.Reply;
import io.strandline.broker.request.Request;
import io.strandline.broker.socket.memory.HeldHeap;
import io.strandline.broker.socket.memory.Shares;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.function.UnaryOperator;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.message.ApiVersionsResponseData.ApiVersionCollection;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.HeartbeatResponseData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.record.internal.BaseRecords;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.requests.ApiVersionsRequest;
import org.apache.kafka.common.requests.ApiVersionsResponse;
import org.apache.kafka.common.requests.FetchRequest;
import org.apache.kafka.common.requests.FetchResponse;
import org.apache.kafka.common.requests.HeartbeatRequest;
import org.apache.kafka.common.requests.HeartbeatResponse;
import org.apache.kafka.common.requests.ProduceRequest;
import org.apache.kafka.common.requests.ProduceResponse;
import org.apache.kafka.common.requests.RequestContext;
import org.apache.kafka.common.security.auth.SecurityProtocol;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.server.config.ClientQuotaManagerConfig;
import org.apache.kafka.server.quota.ThrottleCallback;
import org.jspecify.annotations.Nullable;

/**
 * A server with handlers that do what the test says: Heartbeat waits to be answered, Produce checks
 * and remembers its records, Fetch answers what {@link #fetched} is set to.
 */
final class SocketFixture implements AutoCloseable {
  final SimpleMeterRegistry metrics = new SimpleMeterRegistry();
  final KafkaMeters kafka = new KafkaMeters(System::nanoTime);
  final BlockingQueue<Parked> heartbeats = new LinkedBlockingQueue<>();

  /** Ids of connections that ended. */
  final BlockingQueue<String> gone = new LinkedBlockingQueue<>();

  final BlockingQueue<String> quotasToldGone = new LinkedBlockingQueue<>();

  final BlockingQueue<Parked> produces = new LinkedBlockingQueue<>();
  final BlockingQueue<Boolean> direct = new LinkedBlockingQueue<>();
  final Metrics kafkaMetrics = new Metrics();
  final ConnectionQuotas quotas =
      new ConnectionQuotas(
          List.of("PLAINTEXT"),
          "PLAINTEXT",
          new ClientQuotaManagerConfig(),
          kafkaMetrics,
          Time.SYSTEM);
  final SocketServer server;
  final int port;
  volatile boolean parkProduces;
  volatile @Nullable BaseRecords fetched;
  volatile Runnable fetchDone = () -> {};

  /** Milliseconds that each answer but that of ApiVersions costs its client. */
  volatile int owedMs;

  volatile boolean refusesToCharge;
  final BlockingQueue<Usage> charged = new LinkedBlockingQueue<>();
  final BlockingQueue<ThrottleCallback> throttled = new LinkedBlockingQueue<>();
  private final ApiTable table;

  /** A request that waits for the test to answer it. */
  record Parked(Request<?> request, CompletableFuture<Reply> answer) {
    void reply() {
      answer.complete(
          request.api() == ApiKeys.PRODUCE
              ? Reply.of(new ProduceResponse(new ProduceResponseData()))
              : Reply.of(new HeartbeatResponse(new HeartbeatResponseData())));
    }
  }

  SocketFixture(UnaryOperator<SocketConfig> change) {
    this(change, ConnectionLimits.NONE);
  }

  SocketFixture(UnaryOperator<SocketConfig> change, ConnectionLimits limits) {
    this(change, limits, System::nanoTime);
  }

  SocketFixture(
      UnaryOperator<SocketConfig> change, ConnectionLimits limits, LongSupplier nanoClock) {
    Leaks.install();
    quotas.set(limits);
    table =
        ApiTable.builder()
            .add(ApiKeys.API_VERSIONS, (Handler<ApiVersionsRequest>) this::versions)
            .add(ApiKeys.HEARTBEAT, (Handler<HeartbeatRequest>) this::heartbeat)
            .add(ApiKeys.PRODUCE, (Handler<ProduceRequest>) this::produce)
            .add(ApiKeys.FETCH, (Handler<FetchRequest>) this::fetch)
            .build();
    SocketConfig config =
        change.apply(
            SocketConfig.defaults(
                List.of(
                    new SocketConfig.Listener(
                        "PLAINTEXT", SecurityProtocol.PLAINTEXT, "127.0.0.1", 0))));
    server =
        new SocketServer(
            config,
            NodeSecurity.none("PLAINTEXT"),
            quotas,
            new Dispatcher(table, gone::add, new Charges()),
            new SocketServer.Environment(metrics, kafka, listener -> Runnable::run, nanoClock));
    port = server.start().get("PLAINTEXT");
  }

  private final class Charges implements Quotas {
    @Override
    public int charge(Usage usage, ThrottleCallback connection) {
      if (refusesToCharge) {
        throw new IllegalStateException("a class of the user's");
      }
      charged.add(usage);
      if (owedMs > 0 && usage.who().header.apiKey() != ApiKeys.API_VERSIONS) {
        connection.startThrottling();
        throttled.add(connection);
        return owedMs;
      }
      return 0;
    }

    @Override
    public boolean admit(RequestContext consumer, int bytes) {
      return true;
    }

    @Override
    public void owe(RequestContext consumer, int bytes) {}

    @Override
    public void gone(String connectionId) {
      quotasToldGone.add(connectionId);
    }

    @Override
    public int fetchBytesMax(RequestContext who) {
      return Integer.MAX_VALUE;
    }
  }

  private CompletableFuture<Reply> versions(Request<ApiVersionsRequest> request) {
    if (request.body().hasUnsupportedRequestVersion()) {
      throw new UnsupportedVersionException("too new");
    }
    ApiVersionCollection versions = new ApiVersionCollection();
    table.apis().forEach(api -> table.versions(api).ifPresent(versions::add));
    return CompletableFuture.completedFuture(
        Reply.of(new ApiVersionsResponse(new ApiVersionsResponseData().setApiKeys(versions))));
  }

  private CompletableFuture<Reply> heartbeat(Request<HeartbeatRequest> request) {
    Parked parked = new Parked(request, new CompletableFuture<>());
    heartbeats.add(parked);
    return parked.answer;
  }

  private CompletableFuture<Reply> produce(Request<ProduceRequest> request) {
    for (var topic : request.body().data().topicData()) {
      for (var partition : topic.partitionData()) {
        MemoryRecords records = (MemoryRecords) partition.records();
        direct.add(records.buffer().isDirect());
        records.batches().forEach(batch -> batch.ensureValid());
      }
    }
    Parked parked = new Parked(request, new CompletableFuture<>());
    produces.add(parked);
    if (!parkProduces) {
      parked.reply();
    }
    return parked.answer;
  }

  private CompletableFuture<Reply> fetch(Request<FetchRequest> request) {
    FetchResponseData data = new FetchResponseData();
    data.responses()
        .add(
            new FetchResponseData.FetchableTopicResponse()
                .setTopic("t")
                .setPartitions(List.of(new FetchResponseData.PartitionData().setRecords(fetched))));
    return CompletableFuture.completedFuture(Reply.of(FetchResponse.of(data), fetchDone));
  }

  /** Lets others in, under the same bounds. */
  Admission admission() {
    SocketConfig.Limits limits = SocketConfig.Limits.defaults();
    SocketParts parts =
        new SocketParts(
            new Dispatcher(table, gone::add, new Charges()),
            limits,
            new Shares(limits.bytesInFlightMax(), limits.requestBytesMax(), System::nanoTime),
            new HeldHeap(Long.MAX_VALUE),
            new RequestMeters(metrics, kafka),
            new RefusalLog(metrics, System::nanoTime),
            System::nanoTime);
    ListenerMeters meters = new ListenerMeters("OTHER", kafka);
    return new Admission("PLAINTEXT", quotas, meters, parts, metrics.counter("refused"));
  }

  SocketClient client() {
    return new SocketClient(port);
  }

  double bytesInFlight() {
    return metrics.get("strandline.socket.requests.used").gauge().value();
  }

  static <T> T next(BlockingQueue<T> queue) {
    try {
      T next = queue.poll(20, TimeUnit.SECONDS);
      assertThat(next).as("came in time").isNotNull();
      return java.util.Objects.requireNonNull(next);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** Looks until it holds, for 20 s at the most: a spin ends with no test's time-out. */
  static void await(String what, BooleanSupplier holds) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (!holds.getAsBoolean()) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("waited in vain for " + what);
      }
      Thread.onSpinWait();
    }
  }

  @Override
  public void close() {
    server.close();
    kafka.close();
    assertThat(bytesInFlight()).as("bytes of requests still counted").isZero();
    Leaks.assertNone();
  }
}
