package io.strandline.tiering.scrub;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.scrub.AuditFinding.Kind;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.segment.SegmentId;
import io.strandline.tiering.store.ObjectKey;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.apache.kafka.common.TopicIdPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is known to be wrong with the tier of the partitions that this broker leads, and how far
 * each was read. A finding stays until a look at the same place finds it well or gone. Thread-safe;
 * never blocks.
 */
public final class ScrubLedger {
  private static final Logger LOG = LoggerFactory.getLogger(ScrubLedger.class);

  /** Of one partition; beyond them the rest is as bad. */
  private static final int FINDINGS_MAX = 1_000;

  private static final int TOLD_MAX = 3;

  /**
   * How far a partition was read from end to end.
   *
   * @param nextOffset where reading goes on
   * @param roundMs when the round began, by this broker's clock
   */
  public record Position(long nextOffset, long roundMs) {
    /** Never read. */
    public static final Position NONE = new Position(0, 0);
  }

  /** One partition's page. */
  record Page(Position position, List<AuditFinding> findings) {
    static final Page EMPTY = new Page(Position.NONE, List.of());
  }

  private final Map<TopicIdPartition, Page> pages = new HashMap<>();

  /** Of an earlier process; theirs again once this broker leads them. */
  private final Map<TopicIdPartition, Page> earlier = new HashMap<>();

  private boolean changed;
  final Counter readBytes;
  final Counter readSegments;

  public ScrubLedger(MeterRegistry metrics) {
    for (Kind kind : Kind.values()) {
      if (kind.damage()) {
        Gauge.builder("strandline.scrub.findings", this, ledger -> ledger.count(kind))
            .tag("kind", kind.label())
            .register(metrics);
      }
    }
    readBytes = Counter.builder("strandline.scrub.read").baseUnit("bytes").register(metrics);
    readSegments = metrics.counter("strandline.scrub.segments");
  }

  /** This broker leads it now. */
  public synchronized void open(TopicIdPartition partition) {
    Page was = earlier.remove(partition);
    pages.putIfAbsent(partition, was == null ? Page.EMPTY : was);
  }

  /** This broker leads it no more: its findings are another's to tell. */
  public synchronized void close(TopicIdPartition partition) {
    changed |= pages.remove(partition) != null;
  }

  public synchronized Position position(TopicIdPartition partition) {
    return page(partition).position;
  }

  /** A reader met it and could not go on. */
  public void met(TopicIdPartition partition, long fromOffset, long toOffset) {
    add(
        partition,
        new AuditFinding(
            Kind.CONTENT,
            Optional.of(partition),
            Optional.empty(),
            fromOffset,
            toOffset,
            "met by a reader"));
  }

  /** A segment was read from end to end, with these findings. */
  synchronized void read(
      TopicIdPartition partition, SegmentEntry entry, List<AuditFinding> findings, Position now) {
    List<AuditFinding> kept =
        page(partition).findings.stream()
            .filter(f -> f.endOffset() <= entry.baseOffset() || f.offset() >= entry.endOffset())
            .collect(Collectors.toCollection(ArrayList::new));
    put(partition, new Page(now, kept));
    findings.forEach(f -> add(partition, f));
  }

  synchronized void position(TopicIdPartition partition, Position now) {
    put(partition, new Page(now, page(partition).findings));
  }

  /**
   * A whole listing was held against a manifest, with these findings. Those of earlier listings go;
   * of those that reading made, what is no longer held.
   */
  public synchronized void listed(
      ManifestView view, List<AuditFinding> findings, Collection<AuditFinding> gone) {
    List<AuditFinding> kept =
        page(view.partition()).findings.stream()
            .filter(f -> (f.kind().byReading() || elsewhere(f)) && !gone.contains(f))
            .collect(Collectors.toCollection(ArrayList::new));
    put(view.partition(), new Page(page(view.partition()).position, kept));
    findings.forEach(f -> add(view.partition(), f));
  }

  /** Of another cluster's object, which no listing of this store can show. */
  private static boolean elsewhere(AuditFinding finding) {
    return finding
        .object()
        .flatMap(SegmentId::parse)
        .filter(id -> finding.partition().filter(p -> !id.isOf(p)).isPresent())
        .isPresent();
  }

  /**
   * Which findings are about what a view no longer holds. Cost: at most a page of the manifest
   * each.
   */
  public CompletableFuture<List<AuditFinding>> gone(ManifestView view) {
    List<AuditFinding> gone = new ArrayList<>();
    CompletableFuture<Void> all = CompletableFuture.completedFuture(null);
    for (AuditFinding finding : findings(view.partition())) {
      all =
          all.thenCompose(before -> view.find(Math.max(finding.offset(), view.startOffset())))
              .thenAccept(
                  entry -> {
                    boolean held =
                        entry.isPresent()
                            && entry.get().endOffset() == finding.endOffset()
                            && finding.object().map(entry.get().object()::equals).orElse(true);
                    if (!held) {
                      gone.add(finding);
                    }
                  });
    }
    return all.thenApply(looked -> gone);
  }

  private synchronized void add(TopicIdPartition partition, AuditFinding finding) {
    Page page = page(partition);
    boolean known =
        page.findings.stream()
            .anyMatch(f -> f.offset() == finding.offset() && f.kind() == finding.kind());
    if (known || page.findings.size() >= FINDINGS_MAX || !finding.kind().damage()) {
      return;
    }
    List<AuditFinding> all = new ArrayList<>(page.findings);
    all.add(finding);
    put(partition, new Page(page.position, List.copyOf(all)));
    LOG.atError()
        .addKeyValue("partition", partition)
        .addKeyValue("object", finding.object().map(ObjectKey::value).orElse(""))
        .addKeyValue("reason", finding.kind().label() + ": " + finding.detail())
        .log(
            "history is {} from offset {} to {}: its readers get an error until they seek",
            finding.kind() == Kind.UNREAD ? "refused by the store" : "damaged",
            finding.offset(),
            finding.endOffset() - 1);
  }

  private Page page(TopicIdPartition partition) {
    return pages.getOrDefault(partition, Page.EMPTY);
  }

  private void put(TopicIdPartition partition, Page page) {
    changed |= pages.replace(partition, page) != null; // else led no more
  }

  public synchronized List<AuditFinding> findings(TopicIdPartition partition) {
    return List.copyOf(page(partition).findings);
  }

  private synchronized long count(Kind kind) {
    return pages.values().stream()
        .flatMap(page -> page.findings.stream())
        .filter(f -> f.kind() == kind)
        .count();
  }

  /** One line for an operator; empty while nothing is known to be wrong. */
  public synchronized String summary() {
    List<String> told = new ArrayList<>();
    int count = 0;
    for (var page : pages.entrySet()) {
      for (AuditFinding f : page.getValue().findings) {
        if (count++ < TOLD_MAX) {
          told.add(
              String.format(
                  Locale.ROOT,
                  "%s offsets %d to %d %s",
                  page.getKey().topicPartition(),
                  f.offset(),
                  f.endOffset() - 1,
                  f.kind().label()));
        }
      }
    }
    if (count == 0) {
      return "";
    }
    String more = count > TOLD_MAX ? ", and " + (count - TOLD_MAX) + " more" : "";
    return "history that cannot be read: " + String.join("; ", told) + more;
  }

  // ---- what outlives the process

  /** All pages if any changed since the last call. */
  synchronized Optional<Map<TopicIdPartition, Page>> changes() {
    if (!changed) {
      return Optional.empty();
    }
    changed = false;
    Map<TopicIdPartition, Page> all = new HashMap<>(earlier);
    all.putAll(pages);
    return Optional.of(all);
  }

  synchronized void restore(Map<TopicIdPartition, Page> before) {
    earlier.putAll(before);
  }
}
