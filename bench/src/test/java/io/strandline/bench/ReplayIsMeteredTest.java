package io.strandline.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.bench.contender.Contender;
import io.strandline.bench.contender.RunningBroker;
import io.strandline.bench.contender.Strandline;
import io.strandline.bench.load.History;
import io.strandline.bench.load.Load;
import io.strandline.bench.objects.ObjectServer;
import io.strandline.bench.replay.ReplayStudy;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The instrument of replays, on a broker of ours and with little data. No figure is judged. */
@Timeout(120)
class ReplayIsMeteredTest {
  private static final Load.Size SEGMENTS = new Load.Size(24_000_000, 60);

  private final Contender contender = new Strandline("", "256m");

  @TempDir Path dir;

  @Test
  void historyIsReadFromTheStoreAndByTheBareClient() throws Exception {
    try (ObjectServer store = ObjectServer.start(dir.resolve("objects"));
        RunningBroker broker =
            contender.start(
                dir.resolve("broker"),
                Map.of(
                    "strandline.object.store", store.uri(),
                    "strandline.cache.disk.bytes", "0",
                    "strandline.tier.upload.min.bytes", "0",
                    "log.retention.check.interval.ms", "100"));
        History history = History.write(broker.bootstrap(), SEGMENTS);
        ReplayStudy study = new ReplayStudy(store, broker, history, 1 << 20)) {
      ReplayStudy.Reading replay = study.replay();
      ReplayStudy.Reading bare = study.bare();
      assertThat(replay.storeBytes()).isGreaterThan(SEGMENTS.bytes() / 2);
      assertThat(replay.readBytes()).isGreaterThan(SEGMENTS.bytes() / 2);
      assertThat(bare.readBytes()).isGreaterThanOrEqualTo(replay.readBytes());
      assertThat(bare.storeBytes()).isGreaterThanOrEqualTo(bare.readBytes());
    }
  }
}
