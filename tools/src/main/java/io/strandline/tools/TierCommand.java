package io.strandline.tools;

import io.strandline.tiering.manifest.Compaction;
import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.manifest.Manifests;
import io.strandline.tiering.mount.ForeignTopic;
import io.strandline.tiering.scrub.AuditFinding;
import io.strandline.tiering.scrub.TierAudit;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tools.tier.Damage;
import io.strandline.tools.tier.Place;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.TopicIdPartition;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What is in the object store, straight from there: no broker is asked, nothing is written. */
@Command(
    name = "tier",
    description = "List, inspect and verify what is in the object store; no broker is needed.",
    mixinStandardHelpOptions = true,
    subcommands = {CostCommand.class, RestoreCommand.class},
    synopsisSubcommandLabel = "COMMAND")
final class TierCommand {
  private static final int PAGE = 512;

  private TierCommand() {}

  @Command(
      name = "ls",
      description = {
        "List the partitions in the store, or the segments of some.",
        "The exit code is 1 if a manifest is damaged."
      },
      mixinStandardHelpOptions = true)
  int ls(
      @Mixin TierStore where,
      @Mixin Printer printer,
      @Option(names = "--segments", description = "The segments of all partitions.")
          boolean segments,
      @Option(
              names = "--foreign",
              description =
                  "And how many segments lie in other clusters' stores; reads all of the manifests.")
          boolean foreign,
      @Parameters(
              arity = "0..*",
              paramLabel = "TOPICID-PARTITION",
              description = "List the segments of these.")
          @Nullable List<String> places)
      throws IOException {
    boolean bySegment = segments || places != null;
    Damage damage = new Damage();
    try (TierStore.Opened tier = where.open()) {
      for (TopicIdPartition partition : partitions(tier.manifests(), places)) {
        boolean listed =
            damage.spares(
                partition,
                () -> {
                  ManifestView view = tier.manifests().read(partition).join();
                  if (bySegment) {
                    each(view, entry -> segmentRow(printer, view, entry));
                  } else {
                    partitionRow(printer, view, foreign ? foreign(tier, view) : null);
                  }
                });
        if (!listed && !bySegment) {
          damagedRow(printer, partition);
        }
      }
      printer.flush();
      return damage.found() ? 1 : 0;
    }
  }

  @Command(
      name = "inspect",
      description = "Show what a segment says of itself.",
      mixinStandardHelpOptions = true)
  int inspect(
      @Mixin TierStore where,
      @Mixin Printer printer,
      @Option(names = "--batches", description = "And the header of every batch.") boolean batches,
      @Parameters(
              paramLabel = "SEGMENT",
              description =
                  "An object's key, or TOPICID-PARTITION for its newest segment, or"
                      + " TOPICID-PARTITION@OFFSET for the one that covers the offset.")
          String segment)
      throws IOException {
    try (TierStore.Opened tier = where.open()) {
      SegmentInspection inspection = new SegmentInspection(tier, printer);
      inspection.show(segment, batches);
      printer.flush();
      return 0;
    }
  }

  @Command(
      name = "verify",
      description = {
        "Re-read every object that the manifests name; list segments that none names.",
        "Lengths, checksums, batches and the continuity of offsets are checked. What is missing or"
            + " damaged is printed with its first offset and the first behind it; a consumer that"
            + " seeks there goes on. The exit code is 1 when something is wrong."
      },
      mixinStandardHelpOptions = true)
  int verify(
      @Mixin TierStore where,
      @Mixin Printer printer,
      @Option(
              names = "--grace",
              paramLabel = "DURATION",
              defaultValue = "PT24H",
              description =
                  "A segment that nobody names is wrong when it is older (default:"
                      + " ${DEFAULT-VALUE}).")
          Duration grace,
      @Option(
              names = "--concurrency",
              paramLabel = "N",
              defaultValue = "4",
              description = "Segments read at once (default: ${DEFAULT-VALUE}).")
          int concurrency,
      @Parameters(arity = "0..*", paramLabel = "TOPICID-PARTITION", description = "Only these.")
          @Nullable List<String> places)
      throws IOException {
    TierAudit.Config config =
        new TierAudit.Config(
            concurrency, TierAudit.Config.defaults().pieceBytes(), grace.toMillis());
    ExecutorService threads = TierStore.pool("tier-audit", concurrency);
    try (TierStore.Opened tier = where.open()) {
      TierAudit audit =
          new TierAudit(
              new TierAudit.Tier(tier.store(), tier.stores(), tier.manifests()),
              config,
              threads,
              InstantSource.system());
      Verification verification = new Verification(printer, total(tier.manifests(), places));
      TierAudit.Summary summary =
          places == null
              ? audit.run(verification)
              : places.stream()
                  .map(place -> audit.run(Place.parse(place).partition(), verification))
                  .reduce(new TierAudit.Summary(0, 0, 0, 0), TierAudit.Summary::plus);
      printer.flush();
      tier.keysSeen().forEach((key, objects) -> printer.row("key", key, "objects", objects));
      verification.end(summary);
      return summary.wrong() == 0 ? 0 : 1;
    } finally {
      threads.shutdown();
    }
  }

  /**
   * Bytes to read, for a bar that somebody sees; otherwise not worth the requests. What cannot be
   * read counts nothing: the audit tells of it.
   */
  private static long total(Manifests manifests, @Nullable List<String> places) {
    if (!Progress.seen()) {
      return 0;
    }
    return partitions(manifests, places).stream()
        .mapToLong(
            partition ->
                manifests
                    .read(partition)
                    .handle((view, failure) -> failure == null ? view.sizeBytes() : 0)
                    .join())
        .sum();
  }

  @Command(
      name = "mount",
      description = {
        "Show a topic of another cluster, from its store, read-only.",
        "Nothing is copied and nothing is ever written there; what that cluster tiers appears here."
      },
      mixinStandardHelpOptions = true)
  int mount(
      @Mixin TopicSource source,
      @Mixin Connection connection,
      @Mixin Printer printer,
      @Mixin RestoreCommand.Wanted wanted)
      throws IOException, ExecutionException, InterruptedException {
    TopicSource.Found found = source.find();
    try (Admin admin = connection.admin()) {
      RestoreCommand.Takeover takeover = new RestoreCommand.Takeover(admin, wanted.name(found));
      takeover.create(found, ForeignTopic.Use.MOUNT, Map.of());
      return RestoreCommand.end(
          printer, found, takeover.await(found, wanted.timeout()), wanted.said(found));
    }
  }

  @Command(
      name = "unmount",
      description = "Take a mounted topic away; the other cluster's stays as it is.",
      mixinStandardHelpOptions = true)
  int unmount(
      @Mixin Connection connection,
      @Parameters(paramLabel = "TOPIC", description = "Its name here.") String topic)
      throws IOException, ExecutionException, InterruptedException {
    try (Admin admin = connection.admin()) {
      new RestoreCommand.Takeover(admin, topic).unmount();
      return 0;
    }
  }

  private static List<TopicIdPartition> partitions(
      Manifests manifests, @Nullable List<String> places) {
    return places == null
        ? manifests.partitions().join()
        : places.stream().map(place -> Place.parse(place).partition()).toList();
  }

  private static void each(ManifestView view, Consumer<SegmentEntry> action) {
    long next = view.startOffset();
    List<SegmentEntry> entries = view.from(next, PAGE).join();
    while (!entries.isEmpty()) {
      entries.forEach(action);
      next = entries.get(entries.size() - 1).endOffset();
      entries = view.from(next, PAGE).join();
    }
  }

  private static long foreign(TierStore.Opened tier, ManifestView view) {
    LongAdder count = new LongAdder();
    each(
        view,
        entry -> {
          if (tier.stores().of(entry.ownerCluster()) != tier.store()) {
            count.increment();
          }
        });
    return count.sum();
  }

  private static void partitionRow(Printer printer, ManifestView view, @Nullable Long foreign) {
    String topic = view.partition().topic();
    printer.row(
        "partition",
        Place.of(view),
        "topic",
        topic.isEmpty() ? null : topic,
        "version",
        view.version(),
        "epoch",
        view.leaderEpoch(),
        "start",
        view.startOffset(),
        "end",
        view.endOffset(),
        "segments",
        view.segmentCount(),
        "foreign",
        foreign,
        "bytes",
        view.sizeBytes(),
        "retired",
        view.retiredCount(),
        "clean",
        clean(view),
        "round",
        round(view.compaction()),
        "state",
        view.version() == 0 ? "no manifest" : view.deleted() ? "deleted" : "live");
  }

  /** One of which nothing else can be said, in the columns of the others. */
  private static void damagedRow(Printer printer, TopicIdPartition partition) {
    printer.row(
        "partition",
        Place.of(partition),
        "topic",
        null,
        "version",
        null,
        "epoch",
        null,
        "start",
        null,
        "end",
        null,
        "segments",
        null,
        "foreign",
        null,
        "bytes",
        null,
        "retired",
        null,
        "clean",
        null,
        "round",
        null,
        "state",
        "damaged");
  }

  /** Null where nothing above the start is. */
  private static @Nullable Long clean(ManifestView view) {
    long offset = view.compaction().cleanedOffset();
    return offset > view.startOffset() ? offset : null;
  }

  /** How far the round under way has come, if one is. */
  private static @Nullable String round(Compaction compaction) {
    return compaction.underWay()
        ? compaction.roundOffset() + " of " + compaction.roundEndOffset()
        : null;
  }

  private static void segmentRow(Printer printer, ManifestView view, SegmentEntry entry) {
    printer.row(
        "partition",
        Place.of(view),
        "start",
        entry.baseOffset(),
        "end",
        entry.endOffset(),
        "epoch",
        entry.leaderEpoch(),
        "position",
        entry.positionBytes(),
        "bytes",
        entry.lengthBytes(),
        "crc32c",
        HexFormat.of().toHexDigits(entry.crc32c()),
        "newest",
        time(entry.maxTimestamp()),
        "aborted",
        entry.abortedTransactions(),
        "object",
        entry.object().value());
  }

  /** Null where there is none. */
  static @Nullable String time(long timestampMs) {
    return timestampMs < 0 ? null : Instant.ofEpochMilli(timestampMs).toString();
  }

  /** Prints what an audit finds, and a bar while it goes on. */
  private static final class Verification implements TierAudit.Watcher {
    private final Printer printer;
    private final Progress progress;
    private long bytes;

    Verification(Printer printer, long totalBytes) {
      this.printer = printer;
      this.progress = Progress.onTerminal("bytes", totalBytes);
    }

    @Override
    public void partition(ManifestView view) {}

    @Override
    public void read(long count) {
      bytes += count;
      progress.at(bytes);
    }

    @Override
    public void found(AuditFinding finding) {
      printer.row(
          "finding",
          finding.kind().name().toLowerCase(Locale.ROOT),
          "wrong",
          finding.kind().wrong(),
          "partition",
          finding.partition().map(Place::of).orElse(null),
          "offset",
          finding.offset() < 0 ? null : finding.offset(),
          "end",
          finding.endOffset() < 0 ? null : finding.endOffset(),
          "object",
          finding.object().map(Object::toString).orElse(null),
          "detail",
          finding.detail());
    }

    void end(TierAudit.Summary summary) {
      progress.done();
      printer.total(
          String.format(
              Locale.ROOT,
              "%d partitions, %d segments, %d bytes read: %s",
              summary.partitions(),
              summary.segments(),
              summary.bytes(),
              summary.wrong() == 0 ? "sound" : summary.wrong() + " things are wrong"),
          "partitions",
          summary.partitions(),
          "segments",
          summary.segments(),
          "bytes",
          summary.bytes(),
          "wrong",
          summary.wrong());
    }
  }
}
