package io.strandline.broker;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.broker.partition.space.SpaceConfig;
import io.strandline.replay.fetch.FetchConfig;
import io.strandline.tiering.GatherConfig;
import io.strandline.tiering.TierConfig;
import io.strandline.tiering.store.open.StoreConfig;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class TierBindingsTest {
  @Test
  void theDefaultsOfTheKeysAreTheDefaultsOfThePackages() {
    BrokerConfig config = BrokerConfig.of(Map.of());
    assertThat(TierBindings.store(config))
        .usingRecursiveComparison()
        .ignoringFields("keys", "rates") // made anew each time
        .isEqualTo(StoreConfig.defaults());
    assertThat(TierBindings.tier(config))
        .usingRecursiveComparison()
        .ignoringFields("gather", "rewrite") // alone it waits for nothing; Kafka's keys say more
        .isEqualTo(TierConfig.defaults());
    assertThat(TierBindings.replay(config))
        .isEqualTo(FetchConfig.forCacheMemory(config.number(ConfigKeys.CACHE_MEMORY_BYTES)));
  }

  @Test
  void everyKeyReachesItsRecord() {
    BrokerConfig config =
        BrokerConfig.of(
            Map.of(
                ConfigKeys.STORE_TIMEOUT_MS, "1234",
                ConfigKeys.STORE_ATTEMPTS, "2",
                ConfigKeys.STORE_READS, "3",
                ConfigKeys.STORE_WRITES, "4",
                ConfigKeys.TIER_CHECK_MS, "55",
                ConfigKeys.TIER_RECLAIM_MS, "66",
                ConfigKeys.TIER_GRACE_MS, "77",
                ConfigKeys.TIER_UPLOADS, "8",
                ConfigKeys.REPLAY_STALE_MS, "99"));
    BrokerConfig gathering =
        BrokerConfig.of(
            Map.of(
                SpaceConfig.FEW_BYTES, "1",
                SpaceConfig.FEW_MS, "2",
                ConfigKeys.TIER_GATHER_BYTES, "3",
                ConfigKeys.TIER_GATHER_MS, "4"));
    assertThat(TierBindings.tier(gathering).gather()).isEqualTo(new GatherConfig(1, 2, 3, 4));
    StoreConfig store = TierBindings.store(config);
    assertThat(store.deadline().base()).isEqualTo(Duration.ofMillis(1234));
    assertThat(store.retry().attemptsMax()).isEqualTo(2);
    assertThat(store.budget().reads().callsMax()).isEqualTo(3);
    assertThat(store.budget().writes().callsMax()).isEqualTo(4);
    TierConfig tier = TierBindings.tier(config);
    assertThat(tier.checkMs()).isEqualTo(55);
    assertThat(tier.reclaimMs()).isEqualTo(66);
    assertThat(tier.upload().concurrency()).isEqualTo(8);
    assertThat(
            TierBindings.manifests(config, TierBindings.hints(config, Optional::empty))
                .retiredGraceMs())
        .isEqualTo(77);
    assertThat(TierBindings.replay(config).viewStaleMs()).isEqualTo(99);
    assertThat(TierBindings.replay(config).batchBytesMax()).isEqualTo(100 << 20);
  }

  @Test
  void everyBatchThatCanBeProducedIsServedUnlessSaidOtherwise() {
    Map<String, String> large = Map.of("socket.request.max.bytes", "300000000");
    assertThat(TierBindings.replay(BrokerConfig.of(large)).batchBytesMax()).isEqualTo(300_000_000);
    Map<String, String> given = Map.of(ConfigKeys.REPLAY_BATCH_BYTES, "5000000");
    assertThat(TierBindings.replay(BrokerConfig.of(given)).batchBytesMax()).isEqualTo(5_000_000);
  }
}
