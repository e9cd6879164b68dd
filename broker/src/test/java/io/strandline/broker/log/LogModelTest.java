package io.strandline.broker.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import net.jqwik.api.Tuple.Tuple2;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.CompressionType;

/** Any sequence of steps leaves what a list of strings would hold (design invariants 1, 2, 7). */
class LogModelTest {
  private static final List<CompressionType> CODECS = List.of(CompressionType.values());

  private enum Step {
    APPEND,
    APPEND_MORE,
    TRUNCATE,
    ADVANCE,
    ROLL,
    CRASH,
    RESTART,
    EMPTY
  }

  private final List<String> model = new ArrayList<>();
  private long start;
  private long end;
  private int epoch;

  @Provide
  Arbitrary<List<Tuple2<Step, Integer>>> steps() {
    Arbitrary<Step> step =
        Arbitraries.frequency(
            Tuple.of(12, Step.APPEND),
            Tuple.of(6, Step.APPEND_MORE),
            Tuple.of(3, Step.TRUNCATE),
            Tuple.of(2, Step.ADVANCE),
            Tuple.of(2, Step.ROLL),
            Tuple.of(2, Step.CRASH),
            Tuple.of(2, Step.RESTART),
            Tuple.of(1, Step.EMPTY));
    return step.flatMap(s -> Arbitraries.integers().between(0, 40).map(n -> Tuple.of(s, n)))
        .list()
        .ofMaxSize(40);
  }

  @Property(tries = 150)
  void aLogIsAListOfRecords(@ForAll("steps") List<Tuple2<Step, Integer>> steps) throws IOException {
    Path temp = Files.createTempDirectory("log-model");
    Logs logs = new Logs(temp.resolve("d")).segmentBytes(400);
    PartitionLog log = logs.create();
    model.clear();
    start = 0;
    end = 0;
    epoch = 0;
    try {
      for (Tuple2<Step, Integer> step : steps) {
        log = take(logs, log, step.get1(), step.get2());
        check(log);
      }
    } finally {
      log.directory().close();
      deleteAll(temp);
    }
  }

  private PartitionLog take(Logs logs, PartitionLog log, Step step, int number) {
    logs.nowMs += 10;
    switch (step) {
      case APPEND -> append(logs, log, number, 1);
      case APPEND_MORE -> append(logs, log, number, 1 + number % 5);
      case TRUNCATE -> truncate(log, start + (end == start ? 0 : number % (end - start + 1)));
      case ADVANCE -> advance(log, start + (end == start ? 0 : number % (end - start + 1)));
      case ROLL -> log.roll();
      case CRASH -> {
        long advanced = log.logStartOffset();
        PartitionLog opened = logs.crash(log);
        // A log start that cost no segment may be forgotten, as in Kafka: the tier or the
        // controller says it again.
        opened.advanceLogStart(Math.min(advanced, opened.logEndOffset()));
        start = opened.logStartOffset();
        return opened;
      }
      case RESTART -> {
        return logs.restart(log);
      }
      case EMPTY -> {
        start = end + number;
        end = start;
        model.clear();
        log.truncateFullyAndStartAt(start, start);
      }
      default -> throw new AssertionError(step);
    }
    return log;
  }

  private void append(Logs logs, PartitionLog log, int number, int count) {
    CompressionType codec = CODECS.get(number % CODECS.size());
    epoch += number % 7 == 0 ? 1 : 0;
    String[] values = new String[count];
    for (int i = 0; i < count; i++) {
      values[i] = "v" + number + "." + end;
      model.add(end + "=" + values[i]);
      end++;
    }
    logs.append(log, Compression.of(codec).build(), epoch, values);
  }

  /** A cut within a batch takes the batch with it: the log has no hole. */
  private void truncate(PartitionLog log, long offset) {
    log.truncateTo(offset);
    List<String> left = Logs.read(log, log.localLogStartOffset());
    assertThat(left).isEqualTo(model.subList(0, Math.min(left.size(), model.size())));
    end = log.logEndOffset();
    assertThat(end).isBetween(Math.max(start, offset - 4), offset);
    if (!left.isEmpty()) {
      assertThat(end).isEqualTo(offsetOf(left.get(left.size() - 1)) + 1);
    }
    model.clear();
    model.addAll(left);
  }

  private void advance(PartitionLog log, long offset) {
    log.advanceLogStart(offset);
    start = offset;
    model.removeIf(record -> offsetOf(record) < offset);
  }

  private static long offsetOf(String record) {
    return Long.parseLong(record.substring(0, record.indexOf('=')));
  }

  private void check(PartitionLog log) {
    assertThat(log.logStartOffset()).isEqualTo(start);
    assertThat(log.logEndOffset()).isEqualTo(end);
    assertThat(Logs.read(log, log.localLogStartOffset())).isEqualTo(model);
    for (int i = 0; i < model.size(); i += 5) {
      long offset = offsetOf(model.get(i));
      assertThat(Logs.read(log, offset)).first().isEqualTo(model.get(i));
    }
    assertThat(log.epochs()).isSortedAccordingTo(Comparator.comparingInt(e -> e.leaderEpoch()));
  }

  private static void deleteAll(Path directory) throws IOException {
    try (var files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
