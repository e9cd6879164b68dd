package io.strandline.tiering.upload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.tiering.seal.SealedSegment;
import io.strandline.tiering.segment.BatchBounds;
import io.strandline.tiering.segment.EpochStart;
import io.strandline.tiering.segment.SegmentFooter;
import io.strandline.tiering.segment.SegmentFormat;
import io.strandline.tiering.segment.SegmentParts;
import io.strandline.tiering.segment.TestLog;
import io.strandline.tiering.upload.Recompressor.Rewritten;
import io.strandline.tiering.upload.Recompressor.Workshop;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RecompressorTest {
  @TempDir Path directory;

  private Recompressor recompressor(String policy) throws IOException {
    return Recompressor.open(
        RecompressionPolicy.parse(policy),
        new Workshop(
            Runnable::run,
            directory.resolve("scratch"),
            BatchBounds.defaults(),
            new SimpleMeterRegistry()));
  }

  private SealedSegment segment(long seed) {
    TestLog log = TestLog.write(directory.resolve(seed + ".log"), seed, 0, 60);
    return new SealedSegment(
        TestLog.PARTITION,
        0,
        log.endOffset,
        log.bytes,
        1,
        log.file,
        List.of(),
        Optional.empty(),
        List.of(new EpochStart(0, 0)));
  }

  private static SegmentFooter.Facts facts(SealedSegment segment, Path log, long bytes)
      throws IOException {
    return SegmentFormat.encode(
            new SegmentParts(
                segment.partition(),
                log,
                bytes,
                0,
                segment.endOffset(),
                List.of(),
                segment.leaderEpochs(),
                Optional.empty()))
        .footer()
        .facts();
  }

  private static List<Record> records(Path log) throws IOException {
    List<Record> records = new ArrayList<>();
    MemoryRecords.readableRecords(ByteBuffer.wrap(Files.readAllBytes(log)))
        .records()
        .forEach(records::add);
    return records;
  }

  private List<Path> scratch() throws IOException {
    try (Stream<Path> files = Files.list(directory.resolve("scratch"))) {
      return files.toList();
    }
  }

  @Test
  void aSegmentSaysWhatItSaidAndItsFileGoesWhenItIsClosed() throws IOException {
    Recompressor recompressor = recompressor("tr*:9");
    for (long seed = 0; seed < 10; seed++) {
      SealedSegment segment = segment(seed);
      Optional<Rewritten> done = recompressor.rewrite(segment).join();
      if (done.isPresent()) {
        try (Rewritten rewritten = done.get()) {
          assertThat(rewritten.bytes()).isLessThan(segment.logBytes());
          assertThat(records(rewritten.file())).isEqualTo(records(segment.log()));
          assertThat(facts(segment, rewritten.file(), rewritten.bytes()))
              .isEqualTo(facts(segment, segment.log(), segment.logBytes()));
          assertThat(scratch()).hasSize(1);
        }
      }
      assertThat(scratch()).isEmpty();
    }
  }

  @Test
  void otherTopicsAndDamagedSegmentsGoAsTheyAre() throws IOException {
    SealedSegment segment = segment(3);
    assertThat(recompressor("other:3").rewrite(segment).join()).isEmpty();
    assertThat(Recompressor.none().rewrite(segment).join()).isEmpty();
    try (var file = Files.newByteChannel(segment.log(), java.nio.file.StandardOpenOption.WRITE)) {
      file.truncate(segment.logBytes() - 1);
    }
    assertThat(recompressor("*:3").rewrite(segment).join()).isEmpty();
    assertThat(scratch()).isEmpty();
  }

  @Test
  void whatACrashLeftGoesAtTheNextStart() throws IOException {
    Files.createDirectories(directory.resolve("scratch"));
    Files.writeString(directory.resolve("scratch/segment1.recompressed"), "left");
    assertThat(recompressor("*:3")).isNotNull();
    assertThat(scratch()).isEmpty();
  }

  @Test
  void noMoreFilesThanAllowedAreThereAtOnce() throws IOException {
    Recompressor recompressor = recompressor("*:3");
    List<CompletableFuture<Optional<Rewritten>>> rewriting = new ArrayList<>();
    for (long seed = 0; seed < 30; seed++) {
      rewriting.add(recompressor.rewrite(segment(seed)));
      assertThat(scratch()).hasSizeLessThanOrEqualTo(4);
    }
    assertThat(rewriting).anyMatch(r -> !r.isDone());
    for (CompletableFuture<Optional<Rewritten>> one : rewriting) {
      one.join().ifPresent(Rewritten::close);
      assertThat(scratch()).hasSizeLessThanOrEqualTo(4);
    }
    assertThat(scratch()).isEmpty();
  }

  @Test
  void theFirstRuleThatFitsDecides() {
    RecompressionPolicy policy = RecompressionPolicy.parse("logs.*:3, log?.eu:19,*:1,__tx*:5");
    assertThat(policy.level("logs.web")).isEqualTo(OptionalInt.of(3));
    assertThat(policy.level("logsXweb")).isEqualTo(OptionalInt.of(1));
    assertThat(policy.level("log1.eu")).isEqualTo(OptionalInt.of(19));
    assertThat(policy.level("__consumer_offsets")).isEmpty();
    assertThat(policy.level("__tx")).isEqualTo(OptionalInt.of(5));
    assertThat(RecompressionPolicy.parse(" ").level("any")).isEmpty();
    for (String wrong : List.of("a", "a:", "a:0", "a:23", "a:x", ":3", "a:3,", "a b:3")) {
      assertThatThrownBy(() -> RecompressionPolicy.parse(wrong))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("<pattern>:<level>");
    }
  }
}
