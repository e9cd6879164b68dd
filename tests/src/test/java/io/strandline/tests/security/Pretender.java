package io.strandline.tests.security;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import javax.management.JMException;
import javax.management.ObjectName;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.FetchRequest;
import org.apache.kafka.common.requests.TransactionResult;
import org.apache.kafka.common.requests.WriteTxnMarkersRequest;

/** Alice, who asks what only brokers may. */
final class Pretender implements AutoCloseable {
  private final String clientId;
  private final RawClient raw;

  Pretender(int port, String clientId) throws IOException {
    this.clientId = clientId;
    raw = new RawClient(port, clientId);
    raw.handshake(1, "PLAIN");
    raw.authenticate(RawClient.plain("alice", Secured.ALICE_PASSWORD));
  }

  /** The end of a transaction, and what a follower fetches. */
  static List<AbstractRequest> requests() {
    TopicPartition partition = new TopicPartition("orders", 0);
    var marker =
        new WriteTxnMarkersRequest.TxnMarkerEntry(
            7, (short) 0, 0, TransactionResult.ABORT, List.of(partition), (short) 0);
    var data = new FetchRequest.PartitionData(Uuid.randomUuid(), 0, -1, 1 << 20, Optional.empty());
    return List.of(
        new WriteTxnMarkersRequest.Builder(List.of(marker)).build((short) 1),
        FetchRequest.Builder.forReplica((short) 17, 2, -1, 0, 1, Map.of(partition, data))
            .build((short) 17));
  }

  Set<Errors> told(AbstractRequest request) {
    try {
      return raw.ask(request).errorCounts().keySet();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Per cent of a thread that the broker says she takes. */
  double charged() {
    try {
      ObjectName time =
          new ObjectName("kafka.server:type=Request,user=alice,client-id=" + clientId);
      return (double) ManagementFactory.getPlatformMBeanServer().getAttribute(time, "request-time");
    } catch (JMException none) {
      return 0;
    }
  }

  @Override
  public void close() throws IOException {
    raw.close();
  }
}
