package io.strandline.tools;

import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.store.ObjectInfo;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.s3.S3Config;
import io.strandline.tools.tier.Damage;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Callable;
import org.apache.kafka.common.TopicIdPartition;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What the bucket costs a month, judged by what is there. */
@Command(
    name = "cost",
    description = {
      "Estimate what the store costs a month, from what is there: bytes by kind, requests as the"
          + " last days' objects suggest, reads as often as --replays says.",
      "Prices are S3 Standard's list prices in us-east-1 of 2026 unless given. Not counted: old"
          + " versions in a versioned bucket, tries that failed, tax.",
      "The exit code is 1 if a manifest is damaged: reads of what it names are not counted."
    },
    mixinStandardHelpOptions = true)
final class CostCommand implements Callable<Integer> {
  private static final int PAGE = 1000;
  private static final int SEGMENTS = 512;
  private static final double GB = 1e9;
  private static final double DAYS_A_MONTH = 30;

  /** Of a partition's daily look: its objects, its open uploads, its manifest twice. */
  private static final double LISTS_A_LOOK = 4;

  private static final double GETS_A_LOOK = 2;

  @Mixin private TierStore where = new TierStore();
  @Mixin private Printer printer = new Printer();

  @Option(
      names = "--prices",
      paramLabel = "FILE",
      description =
          "Properties: gb.month, put.1000, get.1000, list.1000, egress.gb (default: 0.023, 0.005,"
              + " 0.0004, 0.005, 0).")
  private @Nullable Path priceFile;

  @Option(
      names = "--replays",
      defaultValue = "1",
      description = "How often all of the history is read a month (default: ${DEFAULT-VALUE}).")
  private double replays = 1;

  @Option(
      names = "--window",
      paramLabel = "DURATION",
      defaultValue = "P30D",
      description =
          "Writing is judged by the objects of so many days, or of as many as there are (default:"
              + " ${DEFAULT-VALUE}).")
  private Duration window = Duration.ofDays(30);

  @Option(names = "--topics", description = "The bytes of each topic and what they cost, too.")
  private boolean byTopic;

  @Override
  public Integer call() throws IOException {
    try (TierStore.Opened tier = where.open()) {
      Prices prices = Prices.read(priceFile);
      Stock stock = Stock.of(tier.store());
      Damage damage = new Damage();
      Held held = Held.of(tier, damage);
      if (byTopic) {
        topics(held, prices);
      }
      lines(stock, held, prices);
      printer.flush();
      return damage.found() ? 1 : 0;
    }
  }

  private void topics(Held held, Prices prices) {
    held.topics.entrySet().stream()
        .sorted(Map.Entry.<String, long[]>comparingByValue(Comparator.comparingLong(b -> -b[0])))
        .forEach(
            topic ->
                printer.row(
                    "topic",
                    topic.getKey(),
                    "bytes",
                    topic.getValue()[0],
                    "segments",
                    topic.getValue()[1],
                    "month",
                    money(topic.getValue()[0] / GB * prices.gbMonth)));
    printer.flush();
  }

  private void lines(Stock stock, Held held, Prices prices) {
    double months = stock.share(window);
    double puts = months == 0 ? 0 : stock.puts(window) / months;
    double lists = months == 0 ? 0 : stock.segmentsWritten(window) / months;
    double sweeps = DAYS_A_MONTH * (LISTS_A_LOOK * held.partitions + stock.objects() / PAGE);
    double checks = DAYS_A_MONTH * GETS_A_LOOK * held.partitions + held.checks;
    List<Line> lines =
        List.of(
            new Line(
                "segments", stock.segmentBytes, "bytes", stock.segmentBytes / GB * prices.gbMonth),
            new Line(
                "manifests", stock.otherBytes, "bytes", stock.otherBytes / GB * prices.gbMonth),
            new Line("writing", Math.round(puts), "PUT a month", puts / 1000 * prices.put1000),
            new Line("commits", Math.round(lists), "LIST a month", lists / 1000 * prices.list1000),
            new Line("sweep", Math.round(sweeps), "LIST a month", sweeps / 1000 * prices.list1000),
            new Line("scrub", Math.round(checks), "GET a month", checks / 1000 * prices.get1000),
            new Line(
                "replays",
                Math.round(held.gets * replays),
                "GET a month",
                held.gets * replays / 1000 * prices.get1000),
            new Line(
                "egress",
                Math.round(held.bytes * replays),
                "bytes a month",
                held.bytes * replays / GB * prices.egressGb));
    for (Line line : lines) {
      printer.row(
          "what", line.what, "count", line.count, "of", line.unit, "month", money(line.cost));
    }
    double sum = lines.stream().mapToDouble(Line::cost).sum();
    printer.total(
        String.format(
            Locale.ROOT,
            "%s a month, %s for each GB of history",
            money(sum),
            held.bytes == 0 ? "-" : money(sum / (held.bytes / GB))),
        "month",
        money(sum));
  }

  private record Line(String what, long count, String unit, double cost) {}

  private static String money(double amount) {
    return String.format(Locale.ROOT, "%.4f", amount);
  }

  /**
   * In one currency, whichever.
   *
   * @param put1000 a thousand PUT, COPY or POST
   */
  record Prices(double gbMonth, double put1000, double get1000, double list1000, double egressGb) {
    /**
     * @throws IllegalArgumentException if the file names something else, or no number
     */
    static Prices read(@Nullable Path file) throws IOException {
      Properties given = new Properties();
      if (file != null) {
        try (Reader reader = Files.newBufferedReader(file)) {
          given.load(reader);
        }
      }
      Prices prices =
          new Prices(
              take(given, "gb.month", 0.023),
              take(given, "put.1000", 0.005),
              take(given, "get.1000", 0.0004),
              take(given, "list.1000", 0.005),
              take(given, "egress.gb", 0));
      if (!given.isEmpty()) {
        throw new IllegalArgumentException("no such price: " + given.stringPropertyNames());
      }
      return prices;
    }

    private static double take(Properties given, String key, double otherwise) {
      Object text = given.remove(key);
      double price = text == null ? otherwise : Double.parseDouble(text.toString().trim());
      if (!(price >= 0)) {
        throw new IllegalArgumentException("not a price: " + key + "=" + text);
      }
      return price;
    }
  }

  /** The objects that are there. */
  private static final class Stock {
    private static final S3Config.Multipart PARTS = S3Config.Multipart.defaults();

    private final List<ObjectInfo> segments = new ArrayList<>();
    private final Instant now = Instant.now();
    private long segmentBytes;
    private long otherBytes;
    private long others;

    static Stock of(ObjectStore store) {
      Stock stock = new Stock();
      String after = "";
      ObjectStore.Page page;
      do {
        page = store.list("", after, PAGE).join();
        page.objects().forEach(stock::add);
        after =
            page.objects().isEmpty()
                ? after
                : page.objects().get(page.objects().size() - 1).key().value();
      } while (page.more() && !page.objects().isEmpty());
      return stock;
    }

    private void add(ObjectInfo object) {
      if (object.key().value().contains(".seg")) {
        segments.add(object);
        segmentBytes += object.lengthBytes();
      } else {
        otherBytes += object.lengthBytes();
        others++;
      }
    }

    double objects() {
      return (double) segments.size() + others;
    }

    /** How much of a month the objects within the window stand for: a day of it at least. */
    double share(Duration window) {
      Duration age =
          segments.stream()
              .map(object -> Duration.between(object.modified(), now))
              .max(Comparator.naturalOrder())
              .orElse(Duration.ZERO);
      Duration seen = age.compareTo(window) < 0 ? age : window;
      double dayMs = (double) Duration.ofDays(1).toMillis();
      return Math.max((double) seen.toMillis(), dayMs) / (DAYS_A_MONTH * dayMs);
    }

    double segmentsWritten(Duration window) {
      return written(window).size();
    }

    /** One for a segment, or one for each part; and one for the version that names it. */
    double puts(Duration window) {
      return written(window).stream()
          .mapToDouble(object -> 1.0 + PARTS.requests(object.lengthBytes()))
          .sum();
    }

    private List<ObjectInfo> written(Duration window) {
      Instant since = now.minus(window);
      return segments.stream().filter(object -> object.modified().isAfter(since)).toList();
    }
  }

  /** What the manifests name. */
  private static final class Held {
    private static final double GET_BYTES = 32 << 20;
    private static final double SCRUB_BYTES = 8 << 20;

    private final Map<String, long[]> topics = new HashMap<>();
    private long bytes;
    private double gets;
    private double checks;
    private long partitions;

    static Held of(TierStore.Opened tier, Damage damage) {
      Held held = new Held();
      for (TopicIdPartition partition : tier.manifests().partitions().join()) {
        held.partitions++;
        damage.spares(partition, () -> held.add(tier.manifests().read(partition).join()));
      }
      return held;
    }

    private void add(ManifestView view) {
      String topic = view.partition().topic();
      long[] sums =
          topics.computeIfAbsent(
              topic.isEmpty() ? view.partition().topicId().toString() : topic, t -> new long[2]);
      sums[0] += view.sizeBytes();
      sums[1] += view.segmentCount();
      bytes += view.sizeBytes();
      read(view);
    }

    /**
     * As a replay in sequence asks: batches in requests of 32 MiB, and the tail where transactions
     * were aborted; and as the scrub does, once a month.
     */
    private void read(ManifestView view) {
      long next = view.startOffset();
      List<SegmentEntry> entries = view.from(next, SEGMENTS).join();
      while (!entries.isEmpty()) {
        for (SegmentEntry entry : entries) {
          gets += Math.ceil(entry.dataBytes() / GET_BYTES) + (entry.abortedTransactions() ? 1 : 0);
          checks += Math.ceil(entry.lengthBytes() / SCRUB_BYTES);
        }
        next = entries.get(entries.size() - 1).endOffset();
        entries = view.from(next, SEGMENTS).join();
      }
    }
  }
}
