package io.strandline.bench;

import io.strandline.bench.contender.Contender;
import io.strandline.bench.contender.RunningBroker;
import io.strandline.bench.load.History;
import io.strandline.bench.load.Load;
import io.strandline.bench.objects.ObjectServer;
import io.strandline.bench.replay.ReplayStudy;
import io.strandline.bench.replay.ReplayStudy.Reading;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/**
 * Replay from the tier, unpaced and from a store of 100 MB/s, beside a bare client's GETs. Apache
 * Kafka has no tier without somebody's plug-in, so it has no part in this.
 */
record Replays(Options options, Figures figures, Profiles profiles) {
  static final String UNPACED = "replay unpaced";
  static final String PACED = "replay paced";

  private static final String ALONE = UNPACED + ", receiving alone, CPU s/GB";
  private static final String BARE = "bare GETs";
  private static final double PACE_BYTES = 100e6;
  private static final int GET_BYTES = 32 << 20;

  /** Several times what the broker's cache holds in memory. */
  private static final long BYTES_MIN = 600_000_000;

  void run(Contender contender, Path dir) throws Exception {
    try (ObjectServer store = ObjectServer.start(dir.resolve("objects"));
        RunningBroker broker = contender.start(dir.resolve("replay"), config(store));
        History history = History.write(broker.bootstrap(), size());
        ReplayStudy study = new ReplayStudy(store, broker, history, GET_BYTES)) {
      if (options.wants(UNPACED)) {
        unpaced(study, broker);
      }
      if (options.wants(PACED)) {
        store.pace(PACE_BYTES);
        paced(study);
      }
    }
  }

  /** All bytes come from the store: the disk part of the cache is off. */
  private Map<String, String> config(ObjectServer store) throws IOException {
    return Map.of(
        "strandline.object.store",
        store.uri(),
        "strandline.cache.disk.bytes",
        "0",
        "strandline.replay.get.bytes",
        Integer.toString(GET_BYTES),
        "log.retention.check.interval.ms",
        "500");
  }

  private Load.Size size() {
    return new Load.Size(Math.max(BYTES_MIN, options.size().bytes()), 120);
  }

  private void unpaced(ReplayStudy study, RunningBroker broker) throws IOException {
    for (int run = 0; run < options.warmUps(); run++) {
      study.replay();
      study.bare();
      study.own();
    }
    profiles.begin(broker);
    for (int run = 0; run < options.runs(); run++) {
      note(UNPACED, broker.contender().name(), study.replay());
      Reading bare = study.bare();
      note(UNPACED, BARE, bare);
      figures.note(ALONE, "Strandline", study.own().cpuSecondsPerGb());
      figures.note(ALONE, BARE, bare.cpuSecondsPerGb());
    }
    profiles.end(broker, UNPACED);
  }

  private void note(String name, String who, Reading reading) throws IOException {
    figures.note(name + ", MB/s", who, reading.bytesPerSecond() / 1e6);
    figures.note(name + ", CPU s/GB", who, reading.cpuSecondsPerGb());
    figures.note(name + ", bytes from the store per byte read", who, reading.amplification());
  }

  private void paced(ReplayStudy study) throws IOException {
    for (int run = 0; run < options.warmUps(); run++) {
      study.replay();
      study.bare();
    }
    for (int run = 0; run < options.runs(); run++) {
      rate("Strandline", study.replay());
      rate(BARE, study.bare());
    }
  }

  private void rate(String who, Reading reading) throws IOException {
    figures.note(PACED + ", share of 100 MB/s", who, reading.bytesPerSecond() / PACE_BYTES);
    figures.note(PACED + ", CPU s/GB", who, reading.cpuSecondsPerGb());
  }
}
