package io.strandline.tests.simulation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.tiering.manifest.ManifestConfig.Fencing;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** Crash model: none; processes sleep and never notice, the store keeps what it acknowledged. */
class ManifestSimulationTest {
  private static final int SEEDS = 500;

  @Test
  void aChainedManifestHoldsUnderAnySeed() {
    Seeds.run(
        ManifestSimulationTest.class,
        SEEDS,
        seed -> assertThat(honest(seed, Fencing.CHAIN).run().commits()).isPositive());
  }

  @Test
  void oneSeedIsOneRun() {
    assertThat(honest(7, Fencing.CHAIN).run()).isEqualTo(honest(7, Fencing.CHAIN).run());
    assertThat(honest(7, Fencing.CHAIN).run()).isNotEqualTo(honest(8, Fencing.CHAIN).run());
  }

  @Test
  void aSwappedManifestHoldsUnderAnySeed() {
    Seeds.run(
        ManifestSimulationTest.class,
        SEEDS / 4,
        seed -> assertThat(honest(seed, Fencing.SWAP).run().commits()).isPositive());
  }

  @Test
  void aCommitThatTrustsThePutAloneIsFound() {
    assertThatThrownBy(
            () ->
                Seeds.usual(
                    ManifestSimulationTest.class,
                    SEEDS,
                    seed -> new ManifestSimulation(seed, Fencing.CHAIN, TrustingStore::new).run()))
        .hasStackTraceContaining("AcknowledgedIsNamed");
  }

  private static ManifestSimulation honest(long seed, Fencing fencing) {
    return new ManifestSimulation(seed, fencing, UnaryOperator.identity());
  }
}
