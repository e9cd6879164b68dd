package io.strandline.broker.replica.quota;

import java.util.List;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.apache.kafka.storage.internals.log.LogConfig;

/** A quota whose rate and replicas are as the metadata has them when it is asked. */
final class ThrottledReplicas implements ReplicationQuota {
  private static final String ALL = "*";

  private final String suffix;
  private final Function<LogConfig, List<String>> chosen;
  private final LongSupplier bytesPerSecond;
  private final ByteRate rate;

  /**
   * @param chosen of a topic: {@code partition:broker}, or all by a star
   */
  ThrottledReplicas(
      int node,
      Function<LogConfig, List<String>> chosen,
      LongSupplier bytesPerSecond,
      ByteRate rate) {
    this.suffix = ":" + node;
    this.chosen = chosen;
    this.bytesPerSecond = bytesPerSecond;
    this.rate = rate;
  }

  @Override
  public boolean covers(LogConfig topic, int partition) {
    List<String> replicas = chosen.apply(topic);
    return !replicas.isEmpty() && (replicas.contains(ALL) || replicas.contains(partition + suffix));
  }

  @Override
  public boolean exceeded() {
    return rate.exceeds(bytesPerSecond.getAsLong());
  }

  @Override
  public void charge(long bytes) {
    rate.record(bytes);
  }
}
