package io.strandline.broker.request.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.broker.guard.quota.ClientQuotas;
import io.strandline.broker.request.Reply;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.kafka.common.Cluster;
import org.apache.kafka.common.internals.Plugin;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.FetchResponse;
import org.apache.kafka.common.security.auth.KafkaPrincipal;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.server.config.ClientQuotaManagerConfig;
import org.apache.kafka.server.quota.ClientQuotaCallback;
import org.apache.kafka.server.quota.ClientQuotaEntity;
import org.apache.kafka.server.quota.ClientQuotaType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Consumers that share a quota, each on a connection of its own. */
@Timeout(60)
class FetchQuotaTest {
  private static final int ROUNDS = 10;
  private static final int PAUSE_MS = 60_000;

  private final Clock clock = new Clock();
  private final Limits limits = new Limits();
  private ClientQuotas quotas;
  private DataRig rig;

  @BeforeEach
  void start(@TempDir Path dir) throws Exception {
    Plugin<ClientQuotaCallback> plugin = Plugin.wrapInstance(limits, null, "limits");
    quotas =
        new ClientQuotas(
            new ClientQuotaManagerConfig(2, 1), new Metrics(clock), clock, Optional.of(plugin));
    rig = new DataRig(dir);
    rig.quotas = quotas;
    rig.lead(0, 1);
    rig.partition(0).log().truncateFullyAndStartAt(1, 0);
    rig.append(1, 200);
  }

  @AfterEach
  void stop() {
    quotas.close();
  }

  /** What it is given comes from the tier, when the tails have used up the quota. */
  @Test
  void whoReadsHistoryGetsOnBesideOthersAtTheTail() {
    int given = 0;
    for (int round = 0; round < ROUNDS; round++) {
      CompletableFuture<Reply> history = rig.fetch(new Ask().from(0, 0), "history");
      for (String tail : List.of("tail 1", "tail 2", "tail 3")) {
        assertThat(rig.fetch(new Ask().from(1, 0), tail)).isDone();
      }
      rig.replay.asked.get(rig.replay.asked.size() - 1).answer().complete(new FakeReplay.Read(200));
      given += bytes(history) > 0 ? 1 : 0;
      clock.nowMs += PAUSE_MS;
    }
    assertThat(given).isGreaterThan(1);
  }

  /** Each has been turned away before, and the quota is kept when all ask again. */
  @Test
  void manyThatWereTurnedAwayDoNotGetTheirTurnAllAtOnce() {
    List<Integer> served = new ArrayList<>();
    for (int round = 0; round < ROUNDS; round++) {
      List<CompletableFuture<Reply>> replies = new ArrayList<>();
      int first = rig.replay.asked.size();
      for (int i = 0; i < 12; i++) {
        replies.add(rig.fetch(new Ask().from(0, 0), "reader " + i));
      }
      for (int i = first; i < rig.replay.asked.size(); i++) {
        rig.replay.asked.get(i).answer().complete(new FakeReplay.Read(200));
      }
      served.add((int) replies.stream().filter(reply -> bytes(reply) > 0).count());
      clock.nowMs += PAUSE_MS;
    }
    assertThat(served).allMatch(count -> count == 1 || count == 2).contains(2);
  }

  @Test
  void aSessionOutlivesAFetchWhoseQuotaIsNotTold() {
    int session = DataRig.response(rig.fetch(new Ask().from(1, 0).session(0, 0))).sessionId();
    limits.broken = true;
    assertThatThrownBy(() -> rig.fetch(new Ask().session(session, 1))).hasMessage("broken");
    limits.broken = false;
    assertThat(DataRig.response(rig.fetch(new Ask().session(session, 2))).error())
        .isEqualTo(Errors.NONE);
  }

  private static int bytes(CompletableFuture<Reply> reply) {
    return DataRig.response(reply).data().responses().stream()
        .flatMap(topic -> topic.partitions().stream())
        .mapToInt(FetchResponse::recordsSize)
        .sum();
  }

  /** All fetch under one quota of 100 bytes a second. */
  private static final class Limits implements ClientQuotaCallback {
    boolean broken;

    @Override
    public Map<String, String> quotaMetricTags(
        ClientQuotaType type, KafkaPrincipal principal, String clientId) {
      if (broken) {
        throw new IllegalStateException("broken");
      }
      return Map.of("user", "all");
    }

    @Override
    public Double quotaLimit(ClientQuotaType type, Map<String, String> tags) {
      return type == ClientQuotaType.FETCH ? 100.0 : null;
    }

    @Override
    public void updateQuota(ClientQuotaType type, ClientQuotaEntity entity, double value) {}

    @Override
    public void removeQuota(ClientQuotaType type, ClientQuotaEntity entity) {}

    @Override
    public boolean quotaResetRequired(ClientQuotaType type) {
      return false;
    }

    @Override
    public boolean updateClusterMetadata(Cluster cluster) {
      return false;
    }

    @Override
    public void close() {}

    @Override
    public void configure(Map<String, ?> settings) {}
  }

  private static final class Clock implements Time {
    private volatile long nowMs = 1_000_000_000;

    @Override
    public long milliseconds() {
      return nowMs;
    }

    @Override
    public long nanoseconds() {
      return TimeUnit.MILLISECONDS.toNanos(nowMs);
    }

    @Override
    public void sleep(long ms) {
      nowMs += ms;
    }

    @Override
    public void waitObject(Object on, Supplier<Boolean> condition, long deadlineMs) {
      throw new UnsupportedOperationException();
    }
  }
}
