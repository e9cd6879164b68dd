package io.strandline.tests.observe.board;

import static io.strandline.tests.observe.board.Panel.lines;
import static io.strandline.tests.observe.board.Panel.signed;
import static io.strandline.tests.observe.board.Panel.stat;

import io.strandline.tests.observe.board.Dashboard.Row;
import java.util.List;

/** All dashboards. */
final class Dashboards {
  private static final String EACH = "{{instance}}";

  private Dashboards() {}

  static List<Dashboard> all() {
    return List.of(cluster(), broker(), tier(), clients(), replay());
  }

  /** The sum of a counter's rate, by labels. */
  private static String rate(String by, String counter) {
    return "sum by (" + by + ") (rate(" + counter + "{$S}[$__rate_interval]))";
  }

  private static String rateOf(String by, String counter, String matcher) {
    return "sum by (" + by + ") (rate(" + counter + "{$S," + matcher + "}[$__rate_interval]))";
  }

  private static String sum(String gauge) {
    return "sum(" + gauge + "{$S})";
  }

  private static String quantile(String q, String api) {
    return "histogram_quantile("
        + q
        + ", sum by (le, instance) (rate("
        + "strandline_request_time_seconds_bucket{$S,api=\""
        + api
        + "\"}[$__rate_interval])))";
  }

  private static Dashboard cluster() {
    return new Dashboard(
        "cluster",
        "Cluster",
        List.of(
            Row.of(
                "Is it well",
                stat(
                    "Active controller",
                    "none",
                    "max(strandline_quorum_leader{$S}) and"
                        + " max(changes(strandline_quorum_committed_offset{$S}[2m])) > 0",
                    "node"),
                stat(
                    "Partitions without a leader",
                    "none",
                    "max(strandline_controller_partitions_offline{$S})",
                    ""),
                stat("Under min ISR", "none", sum("strandline_partition_under_min_isr"), ""),
                stat("Under-replicated", "none", sum("strandline_partition_under_replicated"), ""),
                stat("Fenced brokers", "none", "max(strandline_controller_brokers_fenced{$S})", ""),
                stat("Failed directories", "none", sum("strandline_log_directories_offline"), "")),
            Row.of(
                "Records",
                lines(
                    "Appended",
                    "Bps",
                    rate("instance", "strandline_log_appended_bytes_total"),
                    EACH),
                lines(
                    "Records appended",
                    "cps",
                    rate("instance", "strandline_log_appended_records_total"),
                    EACH),
                lines(
                    "Answered to consumers and followers",
                    "Bps",
                    rateOf("instance", "strandline_request_answered_bytes_total", "api=\"Fetch\""),
                    EACH)),
            Row.of(
                "Replication",
                lines(
                    "Changes of ISRs",
                    "cps",
                    rate("instance", "strandline_partition_isr_shrinks_total"),
                    EACH + " out",
                    rate("instance", "strandline_partition_isr_expands_total"),
                    EACH + " in"),
                lines(
                    "Leaders and replicas",
                    "none",
                    "sum by (instance) (strandline_partition_led{$S})",
                    EACH + " led",
                    "sum by (instance) (strandline_partition_hosted{$S})",
                    EACH + " hosted"),
                lines(
                    "Not served: logs that come back from the tier",
                    "none",
                    "sum by (instance) (strandline_partition_refilling{$S})",
                    EACH)),
            Row.of(
                "Nodes",
                lines(
                    "Disk free",
                    "bytes",
                    "min by (instance) (strandline_disk_free_bytes{$S})",
                    EACH),
                lines(
                    "Event loops idle",
                    "percentunit",
                    "min by (instance) (strandline_socket_loops_idle{$S})",
                    EACH),
                signed(
                    "Clock against Prometheus",
                    "s",
                    "strandline_clock_seconds{$S} - timestamp(strandline_clock_seconds{$S})",
                    EACH)),
            Row.of(
                "Versions",
                stat(
                    "Nodes by version",
                    "none",
                    "count by (version) (strandline_version{$S})",
                    "{{version}}"),
                lines(
                    "Offset of the metadata",
                    "none",
                    "max by (instance) (strandline_quorum_committed_offset{$S})",
                    EACH))));
  }

  private static Dashboard broker() {
    return new Dashboard(
        "broker",
        "Broker",
        List.of(
            Row.of(
                "Requests",
                lines("Produce, 99th percentile", "s", quantile("0.99", "Produce"), EACH),
                lines("Produce, median", "s", quantile("0.5", "Produce"), EACH),
                lines(
                    "Requests",
                    "reqps",
                    rate("api", "strandline_request_time_seconds_count"),
                    "{{api}}"),
                lines(
                    "Errors",
                    "cps",
                    rate("api, error", "strandline_request_errors_total"),
                    "{{api}} {{error}}"),
                lines(
                    "Told to wait, by quota",
                    "s",
                    rate("api", "strandline_request_throttled_seconds_total"),
                    "{{api}}"),
                lines(
                    "Bytes in and out",
                    "Bps",
                    rate("instance", "strandline_request_received_bytes_total"),
                    EACH + " in",
                    rate("instance", "strandline_request_answered_bytes_total"),
                    EACH + " out")),
            Row.of(
                "Connections",
                lines(
                    "Open", "none", "sum by (instance) (strandline_socket_connections{$S})", EACH),
                lines(
                    "Refused",
                    "cps",
                    rate("instance", "strandline_socket_connections_refused_total"),
                    EACH),
                lines(
                    "Memory of requests",
                    "percentunit",
                    "strandline_socket_requests_used_bytes{$S}"
                        + " / strandline_socket_requests_limit_bytes{$S}",
                    EACH)),
            Row.of(
                "Log",
                lines(
                    "Segments made durable, mean time",
                    "s",
                    rate("instance", "strandline_log_flush_time_seconds_sum")
                        + " / "
                        + rate("instance", "strandline_log_flush_time_seconds_count"),
                    EACH),
                lines(
                    "Batches refused",
                    "cps",
                    rate("reason", "strandline_log_invalid_batches_total"),
                    "{{reason}}"),
                lines(
                    "Appends refused, disk full",
                    "cps",
                    rate("instance", "strandline_disk_refused_total"),
                    EACH)),
            Row.of(
                "Process",
                lines(
                    "Heap",
                    "bytes",
                    "sum by (instance) (jvm_memory_used_bytes{$S,area=\"heap\"})",
                    EACH),
                lines(
                    "Pauses of garbage collection",
                    "percentunit",
                    rate("instance", "jvm_gc_pause_seconds_sum"),
                    EACH),
                lines(
                    "Files open",
                    "percentunit",
                    "process_files_open_files{$S} / process_files_max_files{$S}",
                    EACH),
                lines("Processor", "percentunit", "process_cpu_usage{$S}", EACH))));
  }

  private static Dashboard tier() {
    return new Dashboard(
        "tier",
        "Tier and cache",
        List.of(
            Row.of(
                "Does the tier keep up",
                lines(
                    "Sealed and not in the tier",
                    "bytes",
                    "sum by (instance) (strandline_tiering_lag_bytes{$S})",
                    EACH),
                lines(
                    "Age of the oldest of it",
                    "s",
                    "max by (instance) (strandline_tiering_lag_age_seconds{$S})",
                    EACH),
                lines(
                    "Why",
                    "bytes",
                    "sum by (cause) (strandline_tiering_lag_cause_bytes{$S})",
                    "{{cause}}"),
                lines(
                    "Uploaded",
                    "Bps",
                    rate("instance", "strandline_tiering_upload_bytes_total"),
                    EACH),
                lines(
                    "Freed on local disks",
                    "Bps",
                    rate("instance", "strandline_tiering_released_bytes_total"),
                    EACH),
                lines(
                    "Failures",
                    "cps",
                    rate("instance", "strandline_tiering_failures_total"),
                    EACH + " shipping",
                    rate("chore", "strandline_tiering_chore_failures_total"),
                    "{{chore}}")),
            Row.of(
                "Object store",
                lines(
                    "Requests",
                    "reqps",
                    rate("operation, outcome", "strandline_store_requests_seconds_count"),
                    "{{operation}} {{outcome}}"),
                lines(
                    "Mean time",
                    "s",
                    rate("operation", "strandline_store_requests_seconds_sum")
                        + " / "
                        + rate("operation", "strandline_store_requests_seconds_count"),
                    "{{operation}}"),
                lines(
                    "Bytes",
                    "Bps",
                    rate("operation", "strandline_store_bytes_total"),
                    "{{operation}}"),
                lines(
                    "Away",
                    "none",
                    "max by (instance, lane) (strandline_store_away{$S})",
                    EACH + " {{lane}}"),
                lines(
                    "Calls that wait",
                    "none",
                    "sum by (lane) (strandline_store_waiting{$S})",
                    "{{lane}}"),
                lines(
                    "Damaged places",
                    "none",
                    "sum by (kind) (strandline_scrub_findings{$S})",
                    "{{kind}}")),
            Row.of(
                "Cache",
                lines(
                    "Found",
                    "percentunit",
                    rate("instance", "strandline_cache_hits_total")
                        + " / ("
                        + rate("instance", "strandline_cache_hits_total")
                        + " + "
                        + rate("instance", "strandline_cache_misses_total")
                        + ")",
                    EACH),
                lines(
                    "Bytes",
                    "bytes",
                    "sum by (state) (strandline_cache_memory_bytes{$S})",
                    "memory, {{state}}",
                    sum("strandline_cache_disk_bytes"),
                    "disk"),
                lines(
                    "Evicted",
                    "cps",
                    rate("tier, by", "strandline_cache_evictions_total"),
                    "{{tier}} by {{by}}")),
            Row.of(
                "Compaction and merging",
                lines(
                    "Dirty share",
                    "percentunit",
                    "max by (instance) (strandline_compaction_dirty_ratio{$S})",
                    EACH),
                lines(
                    "Written again",
                    "Bps",
                    rate("instance", "strandline_compaction_written_bytes_total"),
                    EACH + " compaction",
                    rate("instance", "strandline_merge_written_bytes_total"),
                    EACH + " merging"),
                lines(
                    "Backups of the metadata behind",
                    "ms",
                    "max by (instance) (strandline_metadata_backup_behind_ms{$S})",
                    EACH))));
  }

  private static Dashboard clients() {
    return new Dashboard(
        "groups",
        "Groups and transactions",
        List.of(
            Row.of(
                "Consumer groups",
                lines(
                    "Requests of groups",
                    "reqps",
                    rateOf(
                        "api",
                        "strandline_request_time_seconds_count",
                        "api=~\".*Group.*|Heartbeat|Offset(Commit|Fetch)\""),
                    "{{api}}"),
                lines(
                    "Errors of groups",
                    "cps",
                    rateOf(
                        "api, error",
                        "strandline_request_errors_total",
                        "api=~\".*Group.*|Heartbeat|Offset(Commit|Fetch)\""),
                    "{{api}} {{error}}")),
            Row.of(
                "Transactions",
                lines(
                    "Requests of transactions",
                    "reqps",
                    rateOf(
                        "api",
                        "strandline_request_time_seconds_count",
                        "api=~\"InitProducerId|.*Txn.*\""),
                    "{{api}}"),
                lines(
                    "Errors of transactions",
                    "cps",
                    rateOf(
                        "api, error",
                        "strandline_request_errors_total",
                        "api=~\"InitProducerId|.*Txn.*\""),
                    "{{api}} {{error}}"),
                lines(
                    "Batches sent twice",
                    "cps",
                    rate("instance", "strandline_log_duplicate_batches_total"),
                    EACH)),
            Row.of(
                "Share groups",
                lines("Given and not ended", "none", sum("strandline_share_in_flight"), "records"),
                lines(
                    "Acknowledged",
                    "cps",
                    rate("instance", "strandline_share_acknowledgements_total"),
                    EACH),
                lines(
                    "Taken back, too late",
                    "cps",
                    rate("instance", "strandline_share_expired_locks_total"),
                    EACH + " expired",
                    rate("instance", "strandline_share_refused_acknowledgements_total"),
                    EACH + " refused"))));
  }

  private static Dashboard replay() {
    return new Dashboard(
        "replay",
        "Replay",
        List.of(
            Row.of(
                "Readers of history",
                lines(
                    "Given to readers",
                    "Bps",
                    rate("instance", "strandline_replay_bytes_total"),
                    EACH),
                lines("Streams", "none", "sum by (instance) (strandline_replay_streams{$S})", EACH),
                lines(
                    "Failures",
                    "cps",
                    rate("kind", "strandline_replay_failures_total"),
                    "{{kind}}")),
            Row.of(
                "What it costs",
                lines("Requests", "reqps", rate("of", "strandline_replay_gets_total"), "{{of}}"),
                lines(
                    "Asked of the store",
                    "Bps",
                    rate("instance", "strandline_replay_get_bytes_total"),
                    EACH),
                lines(
                    "Memory",
                    "percentunit",
                    "strandline_replay_budget_used_bytes{$S}"
                        + " / strandline_replay_budget_limit_bytes{$S}",
                    EACH),
                lines(
                    "Reads that wait for memory",
                    "none",
                    "sum by (instance) (strandline_replay_budget_waiting{$S})",
                    EACH)),
            Row.of(
                "Replay brokers",
                lines(
                    "Fetches",
                    "reqps",
                    rateOf("instance", "strandline_request_time_seconds_count", "api=\"Fetch\""),
                    EACH),
                lines(
                    "Fills of the cache",
                    "Bps",
                    rate("instance", "strandline_cache_fill_bytes_total"),
                    EACH),
                lines(
                    "Mounted history that is not read",
                    "none",
                    "sum by (instance) (strandline_mount_failing{$S})",
                    EACH))));
  }
}
