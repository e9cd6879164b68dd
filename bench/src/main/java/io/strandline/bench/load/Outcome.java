package io.strandline.bench.load;

import java.util.Optional;

/**
 * What the clients of a run saw.
 *
 * @param bytes of values, before compression, that the broker acknowledged or gave
 * @param requests the clients sent
 * @param latencies where the workload is one of latency
 */
public record Outcome(long bytes, double requests, Optional<Latencies> latencies) {
  static Outcome of(long bytes, double requests) {
    return new Outcome(bytes, requests, Optional.empty());
  }
}
