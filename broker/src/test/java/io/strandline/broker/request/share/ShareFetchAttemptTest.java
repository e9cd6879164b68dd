package io.strandline.broker.request.share;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.broker.request.data.DataRig;
import io.strandline.broker.share.GroupTerms;
import io.strandline.broker.share.SharePartition.Limits;
import io.strandline.broker.share.SharePartitions;
import io.strandline.replay.Replay.TierRange;
import io.strandline.replay.ReplayException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.LongStream;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.message.ShareFetchResponseData.AcquiredRecords;
import org.apache.kafka.common.message.ShareFetchResponseData.PartitionData;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.common.utils.Utils;
import org.apache.kafka.coordinator.group.GroupConfig;
import org.apache.kafka.coordinator.group.GroupConfigManager;
import org.apache.kafka.coordinator.group.GroupCoordinatorConfig;
import org.apache.kafka.coordinator.group.modern.share.ShareGroupConfig;
import org.apache.kafka.server.share.persister.NoOpStatePersister;
import org.apache.kafka.server.share.persister.PartitionAllData;
import org.apache.kafka.server.share.persister.PartitionFactory;
import org.apache.kafka.server.share.persister.Persister;
import org.apache.kafka.server.share.persister.ReadShareGroupStateParameters;
import org.apache.kafka.server.share.persister.ReadShareGroupStateResult;
import org.apache.kafka.server.share.persister.TopicData;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a share fetch is given, and what it is told when it cannot be. */
class ShareFetchAttemptTest {
  private static final String GROUP = "group";
  private static final TopicIdPartition ID = new TopicIdPartition(DataRig.TOPIC, 0, DataRig.NAME);

  private static final int LOCK_MS = 30_000; // by default

  private final SetClock clock = new SetClock();

  @TempDir Path dir;

  /** Kafka's share consumer has no branch for an offset that is out of range. */
  @Test
  void whatTheTierHasLetGoOfIsOverForTheGroupToo() throws Exception {
    DataRig rig = new DataRig(dir);
    rig.lead(0);
    rig.partition(0).log().truncateFullyAndStartAt(1, 0);
    rig.append(0, 10);
    rig.replay.range = new TierRange(1, 1);
    CompletableFuture<Map<TopicIdPartition, PartitionData>> reply = attempt(rig).begin();
    assertThat(rig.replay.asked.get(0).request().offset()).isZero();
    rig.replay
        .asked
        .get(0)
        .answer()
        .completeExceptionally(
            new ReplayException(ReplayException.Kind.OUT_OF_RANGE, "begins at 1", null));
    assertThat(reply).isDone();
    PartitionData given = reply.join().get(ID);
    assertThat(Errors.forCode(given.errorCode())).isEqualTo(Errors.NONE);
    assertThat(given.acquiredRecords())
        .extracting(AcquiredRecords::firstOffset)
        .containsExactly(1L);
  }

  /**
   * Told at once, by a code that Kafka's share consumer asks again after, and asked for once: each
   * fetch would ask as often as it is answered.
   */
  @ParameterizedTest
  @CsvSource({
    "INVALID_REQUEST, UNKNOWN_SERVER_ERROR",
    "COORDINATOR_NOT_AVAILABLE, UNKNOWN_SERVER_ERROR",
    "GROUP_ID_NOT_FOUND, UNKNOWN_SERVER_ERROR",
    "FENCED_LEADER_EPOCH, NOT_LEADER_OR_FOLLOWER",
    "UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_OR_PARTITION"
  })
  void stateThatCannotBeReadIsToldAndNotAskedForAgain(Errors said, Errors told) throws Exception {
    DataRig rig = new DataRig(dir);
    rig.lead(0);
    SlowPersister persister = new SlowPersister();
    CompletableFuture<Map<TopicIdPartition, PartitionData>> reply =
        attempt(rig, services(rig, persister)).begin();
    assertThat(reply).isNotDone();
    persister.answer(0, said);
    assertThat(reply).isDone();
    assertThat(Errors.forCode(reply.join().get(ID).errorCode())).isEqualTo(told);
    assertThat(persister.asked).hasSize(1);
  }

  @Test
  void theNextFetchAsksForTheStateAgain() throws Exception {
    DataRig rig = new DataRig(dir);
    rig.lead(0);
    rig.append(0, 10);
    SlowPersister persister = new SlowPersister();
    ShareFetchAttempt.Services services = services(rig, persister);
    var unused = attempt(rig, services).begin();
    persister.answer(0, Errors.INVALID_REQUEST);
    CompletableFuture<Map<TopicIdPartition, PartitionData>> reply = attempt(rig, services).begin();
    assertThat(reply).isNotDone();
    persister.answer(1, Errors.NONE);
    assertThat(reply).isDone();
    assertThat(reply.join().get(ID).acquiredRecords()).isNotEmpty();
  }

  @Test
  void aReadThatBreaksKeepsNeitherThePartitionNorMemory() throws Exception {
    DataRig rig = new DataRig(dir);
    rig.lead(0);
    rig.partition(0).log().truncateFullyAndStartAt(1, 0);
    rig.append(0, 10);
    rig.replay.range = new TierRange(0, 1);
    rig.replay.breaks = Optional.of(new OutOfMemoryError("of this test"));
    ShareFetchAttempt.Services services = services(rig, new NoOpStatePersister());
    CompletableFuture<Map<TopicIdPartition, PartitionData>> reply = attempt(rig, services).begin();
    assertThat(reply).isCompleted();
    assertThat(Errors.forCode(reply.join().get(ID).errorCode()))
        .isEqualTo(Errors.UNKNOWN_SERVER_ERROR);
    assertThat(services.memory().take(1 << 20, () -> {})).as("all of the memory is free").isTrue();
    services.memory().release(1 << 20);
    var unused = attempt(rig, services).begin();
    assertThat(rig.replay.asked).as("somebody else reads").hasSize(1);
  }

  @Test
  void aWallClockThatIsPutForwardEndsNoLock() throws Exception {
    DataRig rig = new DataRig(dir);
    rig.lead(0);
    ShareFetchAttempt.Services services = services(rig, new NoOpStatePersister());
    rig.append(0, 1);
    assertThat(given(rig, services)).containsExactly(0L);
    pass(rig, LOCK_MS / 2);
    rig.append(0, 1);
    assertThat(given(rig, services)).containsExactly(1L);
    clock.wallMs += 86_400_000;
    pass(rig, LOCK_MS / 2);
    assertThat(given(rig, services)).as("the other is locked").containsExactly(0L);
  }

  @Test
  void aWallClockThatIsPutBackProlongsNoLock() throws Exception {
    DataRig rig = new DataRig(dir);
    rig.lead(0);
    ShareFetchAttempt.Services services = services(rig, new NoOpStatePersister());
    rig.append(0, 1);
    assertThat(given(rig, services)).containsExactly(0L);
    clock.wallMs -= 86_400_000;
    pass(rig, LOCK_MS);
    assertThat(given(rig, services)).containsExactly(0L);
  }

  private void pass(DataRig rig, long ms) {
    clock.wallMs += ms;
    clock.passedMs += ms;
    rig.time.pass(ms);
  }

  /** What is given at once. */
  private List<Long> given(DataRig rig, ShareFetchAttempt.Services services) {
    CompletableFuture<Map<TopicIdPartition, PartitionData>> reply = attempt(rig, services).begin();
    assertThat(reply).isDone();
    return reply.join().get(ID).acquiredRecords().stream()
        .flatMap(run -> LongStream.rangeClosed(run.firstOffset(), run.lastOffset()).boxed())
        .toList();
  }

  /** A wall clock that may be set. */
  private static final class SetClock implements Time {
    private long wallMs = 1_700_000_000_000L;
    private long passedMs;

    @Override
    public long milliseconds() {
      return wallMs;
    }

    @Override
    public long nanoseconds() {
      return TimeUnit.MILLISECONDS.toNanos(passedMs);
    }

    @Override
    public void sleep(long ms) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void waitObject(Object object, Supplier<Boolean> condition, long deadlineMs) {
      throw new UnsupportedOperationException();
    }
  }

  /** Answers when the test says so. */
  private static final class SlowPersister extends NoOpStatePersister {
    private final List<CompletableFuture<ReadShareGroupStateResult>> asked = new ArrayList<>();

    @Override
    public CompletableFuture<ReadShareGroupStateResult> readState(
        ReadShareGroupStateParameters request) {
      CompletableFuture<ReadShareGroupStateResult> answer = new CompletableFuture<>();
      asked.add(answer);
      return answer;
    }

    void answer(int index, Errors error) {
      PartitionAllData state =
          PartitionFactory.newPartitionAllData(
              ID.partition(),
              PartitionFactory.DEFAULT_STATE_EPOCH,
              PartitionFactory.UNINITIALIZED_START_OFFSET,
              error.code(),
              error.message(),
              List.of());
      asked
          .get(index)
          .complete(
              new ReadShareGroupStateResult.Builder()
                  .setTopicsData(List.of(new TopicData<>(ID.topicId(), List.of(state))))
                  .build());
    }
  }

  private ShareFetchAttempt attempt(DataRig rig) {
    return attempt(rig, services(rig, new NoOpStatePersister()));
  }

  private ShareFetchAttempt.Services services(DataRig rig, Persister persister) {
    MeterRegistry meters = new SimpleMeterRegistry();
    return new ShareFetchAttempt.Services(
        new SharePartitions(rig.partitions, persister, terms(), rig.time, meters),
        Runnable::run,
        rig.time,
        new ReadMemory(1 << 20, meters));
  }

  private ShareFetchAttempt attempt(DataRig rig, ShareFetchAttempt.Services services) {
    return new ShareFetchAttempt(
        services,
        new ShareFetchAttempt.Wanted(
            new ShareSessions.Member(GROUP, "member"),
            List.of(ID),
            "connection",
            new Limits(10, 10, false),
            1 << 20,
            1,
            500),
        () -> true,
        new ShareFetchAttempt.Allowance() {
          @Override
          public boolean admits(int bytes) {
            return true;
          }

          @Override
          public void owes(int bytes) {}
        });
  }

  private GroupTerms terms() {
    List<ConfigDef> both = List.of(GroupCoordinatorConfig.CONFIG_DEF, ShareGroupConfig.CONFIG_DEF);
    AbstractConfig config = new AbstractConfig(Utils.mergeConfigs(both), Map.of());
    ShareGroupConfig shares = new ShareGroupConfig(config);
    GroupConfigManager groups =
        new GroupConfigManager(Map.of(), new GroupCoordinatorConfig(config), shares);
    Properties earliest = new Properties();
    earliest.setProperty(GroupConfig.SHARE_AUTO_OFFSET_RESET_CONFIG, "earliest");
    groups.updateGroupConfig(GROUP, earliest);
    return new GroupTerms(groups, shares, clock);
  }
}
