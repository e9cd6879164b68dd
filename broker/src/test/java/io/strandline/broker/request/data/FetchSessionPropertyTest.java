package io.strandline.broker.request.data;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.broker.request.Reply;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.apache.kafka.common.message.FetchResponseData.FetchableTopicResponse;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.requests.FetchResponse;

/**
 * A client that applies the answers of one session ends with what one knows that walks all
 * partitions: the same records, high watermarks and errors.
 */
class FetchSessionPropertyTest {
  private static final int PARTITIONS = 4;

  enum Act {
    APPEND,
    BURST,
    MOVE,
    RETURN,
    ADD,
    FORGET,
    FETCH,
    FETCH_LITTLE
  }

  record Step(Act act, int partition) {}

  @Provide
  Arbitrary<List<Step>> steps() {
    return Combinators.combine(
            Arbitraries.of(Act.class), Arbitraries.integers().between(0, PARTITIONS - 1))
        .as(Step::new)
        .list()
        .ofMaxSize(40);
  }

  @Property(tries = 60)
  void theClientLearnsAll(@ForAll("steps") List<Step> steps) throws IOException {
    Path dir = Files.createTempDirectory("strandline-sessions");
    try {
      DataRig rig = new DataRig(dir);
      rig.data =
          new DataConfig(1 << 20, 100, 120_000, 1 << 20, 10, topic -> false); // all is copied
      Client client = new Client(rig);
      steps.forEach(client::take);
      client.catchUp();
    } finally {
      try (var files = Files.walk(dir)) {
        files.sorted((a, b) -> b.compareTo(a)).map(Path::toFile).forEach(java.io.File::delete);
      }
    }
  }

  /** The client's half of KIP-227, and the truth beside it. */
  private static final class Client {
    private final DataRig rig;
    private final TreeMap<Integer, Long> positions = new TreeMap<>();

    /** What the session was told, and has not been told to forget. */
    private final TreeMap<Integer, Long> told = new TreeMap<>();

    private final TreeMap<Integer, Short> errors = new TreeMap<>();
    private final TreeMap<Integer, Long> watermarks = new TreeMap<>();
    private final TreeSet<Integer> elsewhere = new TreeSet<>();
    private int session;
    private int epoch;

    Client(DataRig rig) {
      this.rig = rig;
      for (int i = 0; i < PARTITIONS; i++) {
        rig.lead(i);
      }
      positions.put(0, 0L);
    }

    void take(Step step) {
      int partition = step.partition;
      switch (step.act) {
        case APPEND -> append(partition, 1);
        case BURST -> append(partition, 5);
        case MOVE -> {
          if (elsewhere.add(partition)) {
            rig.follow(partition);
          }
        }
        case RETURN -> {
          if (elsewhere.remove(partition)) {
            rig.lead(partition);
          }
        }
        case ADD -> positions.putIfAbsent(partition, 0L);
        case FORGET -> {
          if (positions.size() > 1) {
            positions.remove(partition);
          }
        }
        case FETCH -> fetch(1 << 20);
        case FETCH_LITTLE -> fetch(300);
      }
    }

    private void append(int partition, int times) {
      for (int i = 0; i < times && !elsewhere.contains(partition); i++) {
        rig.append(partition, 100);
      }
    }

    /** One fetch; whether anything came. */
    private boolean fetch(int maxBytes) {
      Ask ask = new Ask().maxBytes(maxBytes).session(session, epoch);
      positions.forEach(
          (partition, offset) -> {
            if (!offset.equals(told.get(partition))) {
              ask.from(partition, offset);
              told.put(partition, offset);
            }
          });
      told.keySet().stream().filter(p -> !positions.containsKey(p)).toList().forEach(ask::forget);
      told.keySet().retainAll(positions.keySet());
      errors.keySet().retainAll(positions.keySet());
      watermarks.keySet().retainAll(positions.keySet());
      CompletableFuture<Reply> reply = rig.fetch(ask);
      if (!reply.isDone()) {
        rig.time.pass(500);
      }
      FetchResponse response = DataRig.response(reply);
      assertThat(response.error()).isEqualTo(Errors.NONE);
      session = response.sessionId();
      epoch++;
      boolean any = false;
      for (FetchableTopicResponse topic : response.data().responses()) {
        for (PartitionData part : topic.partitions()) {
          any |= apply(part);
        }
      }
      reply.join().done();
      return any;
    }

    private boolean apply(PartitionData part) {
      int partition = part.partitionIndex();
      assertThat(positions).containsKey(partition);
      errors.put(partition, part.errorCode());
      if (part.errorCode() != 0) {
        return false;
      }
      watermarks.put(partition, part.highWatermark());
      if (FetchResponse.recordsSize(part) == 0) {
        return false;
      }
      for (Record record : memory(part).records()) {
        assertThat(record.offset()).isEqualTo(positions.get(partition));
        positions.merge(partition, 1L, Long::sum);
      }
      return true;
    }

    private static MemoryRecords memory(PartitionData part) {
      if (part.records() instanceof MemoryRecords memory) {
        return memory;
      }
      throw new AssertionError("not copied: " + part.records());
    }

    void catchUp() {
      int quiet = 0;
      for (int i = 0; i < 400 && quiet < PARTITIONS + 1; i++) {
        quiet = fetch(300) ? 0 : quiet + 1;
      }
      positions.forEach(
          (partition, offset) -> {
            // Also of one that is led elsewhere: this client may read from any replica (KIP-392).
            assertThat(errors.get(partition)).isEqualTo(Errors.NONE.code());
            assertThat(offset).isEqualTo(rig.partition(partition).logEndOffset());
            assertThat(watermarks.get(partition)).isEqualTo(offset);
          });
    }
  }
}
