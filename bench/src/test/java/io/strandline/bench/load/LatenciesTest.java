package io.strandline.bench.load;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class LatenciesTest {
  @Test
  void aPercentileIsTheShortestTimeThatSoManyDidNotExceed() {
    long[] millis = LongStream.rangeClosed(1, 100).map(n -> (101 - n) * 1_000_000).toArray();
    Latencies latencies = new Latencies(millis);

    assertThat(latencies.millis(0.5)).isEqualTo(50);
    assertThat(latencies.millis(0.99)).isEqualTo(99);
    assertThat(latencies.millis(1)).isEqualTo(100);
    assertThat(new Latencies(new long[] {7_000_000}).millis(0.01)).isEqualTo(7);
  }
}
