package io.strandline.tools;

import io.strandline.replay.job.History;
import io.strandline.replay.job.HistoryConfig;
import io.strandline.replay.job.HistoryTopic;
import io.strandline.replay.job.JobProgress;
import io.strandline.replay.job.JobSpec;
import io.strandline.replay.job.Position;
import io.strandline.replay.job.ReplayJob;
import io.strandline.tiering.segment.BatchBounds;
import io.strandline.tools.replay.Checkpoint;
import io.strandline.tools.replay.ClusterOutput;
import io.strandline.tools.replay.FilesOutput;
import io.strandline.tools.replay.JobWatch;
import io.strandline.tools.replay.RecordFormat;
import io.strandline.tools.replay.RecordOutput;
import io.strandline.tools.replay.Sizes;
import io.strandline.tools.replay.StreamOutput;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** History straight from the bucket: no broker is asked, nothing is written there. */
@Command(
    name = "replay",
    description = {
      "Read a topic's history straight from the object store; no broker is involved.",
      "Without a topic: list what can be replayed. A job that ends early (an error, Ctrl-C, kill)"
          + " goes on where its --checkpoint says."
    },
    mixinStandardHelpOptions = true)
final class ReplayCommand implements Callable<Integer> {
  private static final int UNFINISHED = 3;

  @Mixin private TierStore where = new TierStore();

  @Parameters(arity = "0..1", paramLabel = "TOPIC", description = "Its name, or its id.")
  private @Nullable String topic;

  @Option(
      names = {"-p", "--partition"},
      split = ",",
      description = "Only these.")
  private Set<Integer> partitions = Set.of();

  @Option(
      names = "--from",
      defaultValue = "start",
      description =
          "start, an offset, or @TIME as @2026-01-31T12:00:00Z (default: ${DEFAULT-VALUE}).")
  private String from = "start";

  @Option(
      names = "--to",
      defaultValue = "end",
      description = "end, an offset, or @TIME; left out itself (default: ${DEFAULT-VALUE}).")
  private String to = "end";

  @Option(
      names = "--parallelism",
      defaultValue = "4",
      description = "Partitions read at once (default: ${DEFAULT-VALUE}).")
  private int parallelism = 4;

  @Option(
      names = "--rate",
      paramLabel = "BYTES",
      defaultValue = "0",
      description = "At most so many bytes a second, as 50M; 0 is without limit.")
  private String rate = "0";

  @Option(
      names = "--memory",
      paramLabel = "BYTES",
      defaultValue = "256M",
      description = "For what is on its way (default: ${DEFAULT-VALUE}).")
  private String memory = "256M";

  @Option(
      names = "--batch-bytes",
      paramLabel = "BYTES",
      defaultValue = "100M",
      description =
          "A compressed batch that decodes to more cannot be read (default: ${DEFAULT-VALUE}).")
  private String batchBytes = "100M";

  @Option(
      names = "--batch-records",
      paramLabel = "N",
      defaultValue = "262144",
      description = "Nor can one of more records (default: ${DEFAULT-VALUE}).")
  private int batchRecords = 262_144;

  @Option(names = "--uncommitted", description = "Records of aborted transactions too.")
  private boolean uncommitted;

  @Option(
      names = "--skip-damaged",
      description =
          "Go on behind ranges that are missing, damaged or gone by retention; they are listed at"
              + " the end. Else such a range ends the job.")
  private boolean skipDamaged;

  @Option(
      names = "--format",
      defaultValue = "json",
      description =
          "json: a line each; values: value and line feed; framed: value after its length in four"
              + " bytes (default: ${DEFAULT-VALUE}).")
  private RecordFormat format = RecordFormat.JSON;

  @Option(
      names = {"-o", "--out"},
      paramLabel = "DIR",
      description = "A file for each partition in there (default: standard output).")
  private @Nullable Path out;

  @Option(
      names = "--to-bootstrap",
      paramLabel = "HOST:PORT",
      description = "Into this Kafka cluster instead.")
  private @Nullable String toBootstrap;

  @Option(
      names = "--to-topic",
      description = "The topic there (default: the same name); it must exist.")
  private @Nullable String toTopic;

  @Option(
      names = "--to-config",
      paramLabel = "FILE",
      description = "Properties of the producer: security, compression.")
  private @Nullable Path toConfig;

  @Option(
      names = "--by-key",
      description = "Keys decide the partition there (default: each record keeps its own).")
  private boolean byKey;

  @Option(
      names = "--checkpoint",
      paramLabel = "FILE",
      description = "Written now and then and at the end; if it is there, the job goes on from it.")
  private @Nullable Path checkpoint;

  @Option(
      names = "--checkpoint-every",
      paramLabel = "DURATION",
      defaultValue = "PT10S",
      description = "How often it is written (default: ${DEFAULT-VALUE}).")
  private Duration checkpointEvery = Duration.ofSeconds(10);

  @Option(
      names = "--progress",
      paramLabel = "DURATION",
      defaultValue = "PT10S",
      description = "A line on standard error so often (default: ${DEFAULT-VALUE}); PT0S: none.")
  private Duration progressEvery = Duration.ofSeconds(10);

  @Mixin private Printer printer = new Printer();

  @Override
  public Integer call() throws IOException {
    HistoryConfig config =
        HistoryConfig.of(where.uri())
            .memoryBytes(Sizes.parse(memory))
            .bounds(new BatchBounds(Math.toIntExact(Sizes.parse(batchBytes)), batchRecords))
            .keys(where.keys())
            .others(where.others());
    AtomicBoolean damaged = new AtomicBoolean();
    Consumer<String> warnings =
        warning -> {
          System.err.println("strandline: " + warning);
          damaged.set(true);
        };
    try (History history = History.open(config, warnings)) {
      if (topic == null) {
        list(history.topics());
        return damaged.get() ? 1 : 0;
      }
      return replay(history, topic);
    }
  }

  private void list(List<HistoryTopic> topics) {
    for (HistoryTopic one : topics) {
      for (HistoryTopic.Range range : one.partitions()) {
        printer.row(
            "topic",
            one.name(),
            "id",
            one.id(),
            "partition",
            range.partition(),
            "start",
            range.startOffset(),
            "end",
            range.endOffset(),
            "bytes",
            range.sizeBytes());
      }
    }
    printer.flush();
  }

  private int replay(History history, String name) throws IOException {
    Checkpoint saved = checkpoint == null ? null : Checkpoint.open(checkpoint, name);
    ReplayJob job = history.job(spec(name, saved));
    if (saved != null) {
      saved.claim(new Checkpoint.Job(job.topicId(), place(name)));
    }
    try (RecordOutput output = output(name, saved, job.progress());
        JobWatch watch =
            new JobWatch(job, output, saved, new JobWatch.Every(progressEvery, checkpointEvery))) {
      watch.start();
      JobProgress end;
      try {
        end = job.run(watch);
      } finally {
        watch.save();
      }
      return ended(end, saved == null ? List.of() : saved.skippedBefore());
    }
  }

  private JobSpec spec(String name, @Nullable Checkpoint saved) {
    JobSpec spec =
        JobSpec.of(name)
            .partitions(partitions)
            .from(position(from, "start"))
            .to(position(to, "end"))
            .parallelism(parallelism)
            .committedOnly(!uncommitted)
            .onDamage(skipDamaged ? JobSpec.Damage.SKIP : JobSpec.Damage.FAIL)
            .bytesPerSecond(Sizes.parse(rate));
    return saved == null ? spec : spec.resume(saved.nextOffsets());
  }

  private static Position position(String text, String edge) {
    if (text.equals(edge)) {
      return Position.edge();
    }
    return text.startsWith("@")
        ? Position.time(Instant.parse(text.substring(1)))
        : Position.offset(Long.parseLong(text));
  }

  /** Where the records go, as a checkpoint names it. */
  private String place(String name) throws IOException {
    if (toBootstrap != null) {
      return ClusterOutput.place(client(toBootstrap), toTopic == null ? name : toTopic);
    }
    String as = format.name().toLowerCase(Locale.ROOT);
    return out == null
        ? "standard output as " + as
        : "files in " + out.toAbsolutePath().normalize() + " as " + as;
  }

  private Properties client(String bootstrap) throws IOException {
    return Connection.properties(bootstrap, toConfig);
  }

  private RecordOutput output(String name, @Nullable Checkpoint saved, JobProgress plan)
      throws IOException {
    if (toBootstrap != null) {
      int needed = new TreeSet<>(plan.nextOffsets().keySet()).last() + 1;
      return new ClusterOutput(
          client(toBootstrap), toTopic == null ? name : toTopic, !byKey, needed);
    }
    if (out == null) {
      // Not System.out: a PrintStream keeps to itself that a disk is full or a pipe closed.
      return new StreamOutput(new FileOutputStream(FileDescriptor.out), format);
    }
    if (saved == null) {
      return new FilesOutput(out, name, format, Map.of());
    }
    FilesOutput files = new FilesOutput(out, name, format, saved.marks());
    saved.save(files.begin(plan.nextOffsets()), List.of());
    return files;
  }

  /**
   * @param before what earlier runs of the job left out: its output lacks that, too
   */
  private static int ended(JobProgress end, List<JobProgress.Skipped> before) {
    for (JobProgress.Skipped skipped : before) {
      System.err.println("skipped by an earlier run: " + JobWatch.line(skipped));
    }
    for (JobProgress.Skipped skipped : end.skipped()) {
      System.err.println("skipped: " + JobWatch.line(skipped));
    }
    if (!end.complete()) {
      System.err.println("not finished: " + JobWatch.line(end));
      return UNFINISHED;
    }
    int ranges = before.size() + end.skipped().size();
    String but = ranges == 0 ? ": " : ", ranges left out: " + ranges + "; ";
    System.err.println("done" + but + JobWatch.line(end));
    return ranges == 0 ? 0 : 1;
  }
}
