package io.strandline.tests.observe.board;

import static io.strandline.tests.observe.board.Alert.Severity.PAGE;
import static io.strandline.tests.observe.board.Alert.Severity.TICKET;
import static io.strandline.tests.observe.board.Alert.ill;

import java.util.ArrayList;
import java.util.List;

/** All alerts, and the files that Prometheus and promtool read. */
final class Alerts {
  private static final String HEAD =
      """
      # Generated from the code (tests.observe.board); its test says how to write it anew.
      """;

  private static final String BOOKS = "docs/runbooks/";

  private static final List<String> WELL =
      List.of(
          "strandline_controller_partitions_offline{cluster=\"c\"} 0x60",
          "strandline_controller_brokers_fenced{cluster=\"c\"} 0x60",
          "strandline_partition_under_min_isr{cluster=\"c\"} 0x60",
          "strandline_partition_under_replicated{cluster=\"c\"} 0x60",
          "strandline_partition_refilling{cluster=\"c\"} 0x60",
          "strandline_partition_isr_shrinks_total{cluster=\"c\"} 0+1x60",
          "strandline_quorum_committed_offset{cluster=\"c\"} 0+120x60",
          "strandline_version{cluster=\"c\",version=\"1\"} 1x60",
          "up{cluster=\"c\",job=\"strandline\"} 1x60",
          "strandline_log_directories_offline{cluster=\"c\"} 0x60",
          "strandline_disk_state{cluster=\"c\",path=\"/d\"} 1x60",
          "strandline_disk_free_bytes{cluster=\"c\",path=\"/d\"} 100000-10x60",
          "process_files_open_files{cluster=\"c\",job=\"strandline\"} 500x60",
          "process_files_max_files{cluster=\"c\",job=\"strandline\"} 1000x60",
          "strandline_clock_seconds{cluster=\"c\"} 2+60x60",
          "strandline_listener_certificate_expires_seconds{cluster=\"c\",listener=\"A\"} 2000000x60",
          "strandline_listener_certificate_expires_seconds{cluster=\"c\",listener=\"B\"} 0x60",
          "strandline_store_away{cluster=\"c\"} 0x60",
          "strandline_tiering_lag_age_seconds{cluster=\"c\"} 600x60",
          "strandline_scrub_findings{cluster=\"c\",kind=\"missing\"} 0x60",
          "strandline_metadata_backup_behind_ms{cluster=\"c\"} 0x60",
          "strandline_cache_misses_total{cluster=\"c\"} 0+1200x60",
          "strandline_cache_hits_total{cluster=\"c\"} 0+1200x60",
          "strandline_replay_failures_total{cluster=\"c\",kind=\"out_of_range\"} 0+5x60",
          bucket("1") + " 0+100x60",
          bucket("+Inf") + " 0+100x60",
          "strandline_request_throttled_seconds_total{cluster=\"c\",api=\"Produce\"} 0+6x60");

  private Alerts() {}

  static List<Alert> all() {
    List<Alert> all = new ArrayList<>();
    all.addAll(ofCluster());
    all.addAll(ofBrokers());
    all.addAll(ofTier());
    all.addAll(ofClients());
    return all;
  }

  private static List<Alert> ofCluster() {
    return List.of(
        new Alert(
            "StrandlinePartitionOffline",
            PAGE,
            "2m",
            "max by (cluster) (strandline_controller_partitions_offline) > 0",
            "{{ $value }} partitions have no leader: nobody reads or writes them.",
            ill(
                "cluster: c",
                "3 partitions have no leader: nobody reads or writes them.",
                "strandline_controller_partitions_offline{cluster=\"c\",instance=\"a\"}",
                "3x60")),
        new Alert(
            "StrandlinePartitionUnderMinIsr",
            PAGE,
            "5m",
            "sum by (cluster) (strandline_partition_under_min_isr) > 0",
            "{{ $value }} partitions have fewer replicas in sync than min.insync.replicas: acks=all is"
                + " refused.",
            ill(
                "cluster: c",
                "3 partitions have fewer replicas in sync than min.insync.replicas: acks=all is"
                    + " refused.",
                "strandline_partition_under_min_isr{cluster=\"c\",instance=\"a\"}",
                "1x60",
                "strandline_partition_under_min_isr{cluster=\"c\",instance=\"b\"}",
                "2x60")),
        new Alert(
            "StrandlinePartitionUnderReplicated",
            TICKET,
            "30m",
            "sum by (cluster) (strandline_partition_under_replicated) > 0",
            "{{ $value }} partitions have fewer replicas in sync than assigned.",
            ill(
                "cluster: c",
                "4 partitions have fewer replicas in sync than assigned.",
                "strandline_partition_under_replicated{cluster=\"c\",instance=\"a\"}",
                "4x60")),
        new Alert(
            "StrandlineNoActiveController",
            PAGE,
            "1m",
            // Not by the leader: whoever has heard of none since goes on naming the last one.
            "max by (cluster) (changes(strandline_quorum_committed_offset[2m])) == 0",
            "The metadata stands still, no controller is active: no failover, no topics, no changes.",
            ill(
                "cluster: c",
                "The metadata stands still, no controller is active: no failover, no topics, no"
                    + " changes.",
                "strandline_quorum_committed_offset{cluster=\"c\",instance=\"a\"}",
                "4711x60",
                "strandline_quorum_committed_offset{cluster=\"c\",instance=\"b\"}",
                "-1x60")),
        new Alert(
            "StrandlineBrokerFenced",
            TICKET,
            "15m",
            "max by (cluster) (strandline_controller_brokers_fenced) > 0",
            "{{ $value }} brokers are fenced: stopped, starting, or cut off from the controllers.",
            ill(
                "cluster: c",
                "1 brokers are fenced: stopped, starting, or cut off from the controllers.",
                "strandline_controller_brokers_fenced{cluster=\"c\",instance=\"a\"}",
                "1x60")),
        new Alert(
            "StrandlineClusterDown",
            PAGE,
            "2m",
            "sum by (cluster) (up{job=\"strandline\"}) == 0",
            "No node of {{ $labels.cluster }} answers Prometheus.",
            ill(
                "cluster: c",
                "No node of c answers Prometheus.",
                "up{cluster=\"c\",instance=\"a\",job=\"strandline\"}",
                "0x60",
                "up{cluster=\"c\",instance=\"b\",job=\"strandline\"}",
                "0x60")),
        new Alert(
                "StrandlineTargetsMissing",
                PAGE,
                "5m",
                // Without targets there is no series to be 0. Of a cluster that lost them those of
                // the day before still tell its name; after that, or before the first, none does.
                "count by (cluster) (present_over_time(up{job=\"strandline\"}[1d]))"
                    + " unless count by (cluster) (up{job=\"strandline\"})"
                    + " or absent_over_time(up{job=\"strandline\"}[1d])",
                "Prometheus has no target{{ with $labels.cluster }} in {{ . }}{{ end }} left to ask:"
                    + " no other alert can fire.",
                ill(
                    "cluster: c",
                    "Prometheus has no target in c left to ask: no other alert can fire.",
                    "up{cluster=\"c\",instance=\"a\",job=\"strandline\"}",
                    "1x20",
                    "up{cluster=\"d\",instance=\"b\",job=\"strandline\"}",
                    "1x60"))
            .and(
                ill(
                    "job: strandline",
                    "Prometheus has no target left to ask: no other alert can fire.",
                    "up{cluster=\"c\",instance=\"a\",job=\"other\"}",
                    "1x60")),
        new Alert(
            "StrandlineNodeDown",
            TICKET,
            "10m",
            "up{job=\"strandline\"} == 0",
            "{{ $labels.instance }} does not answer Prometheus.",
            ill(
                "{cluster: c, instance: a, job: strandline}",
                "a does not answer Prometheus.",
                "up{cluster=\"c\",instance=\"a\",job=\"strandline\"}",
                "0x60")),
        new Alert(
            "StrandlineVersionsMixed",
            TICKET,
            "1d",
            "count by (cluster) (count by (cluster, version) (strandline_version)) > 1",
            "{{ $value }} versions run in one cluster for a day: is an upgrade unfinished?",
            ill(
                "cluster: c",
                "2 versions run in one cluster for a day: is an upgrade unfinished?",
                "strandline_version{cluster=\"c\",instance=\"a\",version=\"1\"}",
                "1x1600",
                "strandline_version{cluster=\"c\",instance=\"b\",version=\"2\"}",
                "1x1600")));
  }

  private static List<Alert> ofBrokers() {
    return List.of(
        new Alert(
            "StrandlineLogDirectoryOffline",
            PAGE,
            "1m",
            "max by (cluster, instance) (strandline_log_directories_offline) > 0",
            "{{ $value }} log directories of {{ $labels.instance }} failed.",
            ill(
                "{cluster: c, instance: a}",
                "1 log directories of a failed.",
                "strandline_log_directories_offline{cluster=\"c\",instance=\"a\"}",
                "1x60")),
        new Alert(
            "StrandlineDiskFull",
            PAGE,
            "1m",
            "max by (cluster, instance, path) (strandline_disk_state) == 2",
            "{{ $labels.path }} of {{ $labels.instance }} is full but for its reserve: producers are"
                + " refused.",
            ill(
                "{cluster: c, instance: a, path: /d}",
                "/d of a is full but for its reserve: producers are refused.",
                "strandline_disk_state{cluster=\"c\",instance=\"a\",path=\"/d\"}",
                "2x60")),
        new Alert(
            "StrandlineDiskFilling",
            PAGE,
            "15m",
            "predict_linear(strandline_disk_free_bytes[30m], 4 * 3600) < 0"
                + " and on (cluster, instance, path) strandline_disk_state >= 1",
            "{{ $labels.path }} of {{ $labels.instance }} is above its high watermark and full in four"
                + " hours.",
            ill(
                "{cluster: c, instance: a, path: /d}",
                "/d of a is above its high watermark and full in four hours.",
                "strandline_disk_free_bytes{cluster=\"c\",instance=\"a\",path=\"/d\"}",
                "10000-100x60",
                "strandline_disk_state{cluster=\"c\",instance=\"a\",path=\"/d\"}",
                "1x60")),
        new Alert(
            "StrandlineOpenFilesShort",
            PAGE,
            "5m",
            "process_files_open_files{job=\"strandline\"}"
                + " / process_files_max_files{job=\"strandline\"} > 0.85",
            "{{ $labels.instance }} has {{ $value | humanizePercentage }} of its files open: at the"
                + " limit a log directory goes offline.",
            ill(
                "{cluster: c, instance: a, job: strandline}",
                "a has 90% of its files open: at the limit a log directory goes offline.",
                "process_files_open_files{cluster=\"c\",instance=\"a\",job=\"strandline\"}",
                "900x60",
                "process_files_max_files{cluster=\"c\",instance=\"a\",job=\"strandline\"}",
                "1000x60")),
        new Alert(
            "StrandlineIsrFlapping",
            TICKET,
            "15m",
            "sum by (cluster, instance) (increase(strandline_partition_isr_shrinks_total[15m])) > 20",
            "Replicas go in and out of the ISRs of partitions that {{ $labels.instance }} leads.",
            ill(
                "{cluster: c, instance: a}",
                "Replicas go in and out of the ISRs of partitions that a leads.",
                "strandline_partition_isr_shrinks_total{cluster=\"c\",instance=\"a\"}",
                "0+5x60")),
        new Alert(
            "StrandlineClockSkewed",
            TICKET,
            "5m",
            "abs(strandline_clock_seconds - timestamp(strandline_clock_seconds)) > 30",
            "The clock of {{ $labels.instance }} is {{ $value | humanizeDuration }} off Prometheus's.",
            ill(
                "{cluster: c, instance: a}",
                "The clock of a is 1h 0m 0s off Prometheus's.",
                "strandline_clock_seconds{cluster=\"c\",instance=\"a\"}",
                "3600+60x60")),
        certificate(
            PAGE,
            " < 3 * 86400",
            "The certificate of listener TLS of a ends in 2d 0h 0m 0s.",
            "176400x60"),
        certificate(
            TICKET,
            " < 14 * 86400 >= 3 * 86400",
            "The certificate of listener TLS of a ends in 10d 0h 0m 0s.",
            "867600x60"));
  }

  /**
   * Of a certificate that ends within a range of seconds: first a ticket, then whoever is awake.
   */
  private static Alert certificate(
      Alert.Severity severity, String range, String said, String values) {
    return new Alert(
        "StrandlineCertificateExpiring",
        severity,
        "10m",
        "min by (cluster, instance, listener)"
            + " (strandline_listener_certificate_expires_seconds > 0) - time()"
            + range,
        "The certificate of listener {{ $labels.listener }} of {{ $labels.instance }} ends in"
            + " {{ $value | humanizeDuration }}.",
        ill(
            "{cluster: c, instance: a, listener: TLS}",
            said,
            "strandline_listener_certificate_expires_seconds{cluster=\"c\",instance=\"a\","
                + "listener=\"TLS\"}",
            values));
  }

  private static List<Alert> ofTier() {
    return List.of(
        new Alert(
            "StrandlineStoreAway",
            PAGE,
            "15m",
            "max by (cluster, instance) (strandline_store_away) == 1",
            "The object store does not answer {{ $labels.instance }}: history is not read, nothing goes"
                + " up, disks fill.",
            ill(
                "{cluster: c, instance: a}",
                "The object store does not answer a: history is not read, nothing goes up, disks fill.",
                "strandline_store_away{cluster=\"c\",instance=\"a\",lane=\"reads\"}",
                "1x60")),
        new Alert(
            "StrandlineTierLagging",
            TICKET,
            "15m",
            "max by (cluster, instance) (strandline_tiering_lag_age_seconds) > 3600",
            "The oldest sealed segment of {{ $labels.instance }} waits for the tier since"
                + " {{ $value | humanizeDuration }}.",
            ill(
                "{cluster: c, instance: a}",
                "The oldest sealed segment of a waits for the tier since 2h 0m 0s.",
                "strandline_tiering_lag_age_seconds{cluster=\"c\",instance=\"a\"}",
                "7200x60")),
        new Alert(
            "StrandlineTierDamaged",
            PAGE,
            "1m",
            "sum by (cluster, kind) (strandline_scrub_findings) > 0",
            "{{ $value }} places in the tier are damaged: {{ $labels.kind }}.",
            ill(
                "{cluster: c, kind: missing}",
                "2 places in the tier are damaged: missing.",
                "strandline_scrub_findings{cluster=\"c\",instance=\"a\",kind=\"missing\"}",
                "2x60")),
        new Alert(
            "StrandlinePartitionRefilling",
            PAGE,
            "30m",
            "sum by (cluster, instance) (strandline_partition_refilling) > 0",
            "{{ $value }} partitions of {{ $labels.instance }} are not served: their logs were lost and"
                + " are not back from the tier.",
            ill(
                "{cluster: c, instance: a}",
                "2 partitions of a are not served: their logs were lost and are not back from the tier.",
                "strandline_partition_refilling{cluster=\"c\",instance=\"a\"}",
                "2x60")),
        new Alert(
            "StrandlineMetadataBackupFailing",
            TICKET,
            "15m",
            "max by (cluster) (strandline_metadata_backup_behind_ms) > 3600 * 1000",
            "Backups of the metadata fail for more than an hour.",
            ill(
                "cluster: c",
                "Backups of the metadata fail for more than an hour.",
                "strandline_metadata_backup_behind_ms{cluster=\"c\",instance=\"a\"}",
                "7200000x60")),
        new Alert(
            "StrandlineCacheCollapsed",
            TICKET,
            "30m",
            "sum by (cluster, instance) (rate(strandline_cache_misses_total[10m])) > 10"
                + " and sum by (cluster, instance) (rate(strandline_cache_hits_total[10m]))"
                + " < 0.2 * sum by (cluster, instance) (rate(strandline_cache_misses_total[10m]))",
            "Readers of history on {{ $labels.instance }} find almost nothing in the cache.",
            ill(
                "{cluster: c, instance: a}",
                "Readers of history on a find almost nothing in the cache.",
                "strandline_cache_misses_total{cluster=\"c\",instance=\"a\"}",
                "0+1200x60",
                "strandline_cache_hits_total{cluster=\"c\",instance=\"a\",tier=\"memory\"}",
                "0+60x60")));
  }

  private static List<Alert> ofClients() {
    return List.of(
        new Alert(
            "StrandlineReplayFailing",
            PAGE,
            "10m",
            "sum by (cluster, instance, kind) (rate("
                + "strandline_replay_failures_total{kind=~\"unavailable|corrupt\"}[5m])) > 0",
            "Reads of history fail on {{ $labels.instance }}: {{ $labels.kind }}.",
            ill(
                "{cluster: c, instance: a, kind: corrupt}",
                "Reads of history fail on a: corrupt.",
                "strandline_replay_failures_total{cluster=\"c\",instance=\"a\",kind=\"corrupt\"}",
                "0+5x60")),
        new Alert(
            "StrandlineProduceSlow",
            PAGE,
            "15m",
            "histogram_quantile(0.99, sum by (cluster, instance, le)"
                + " (rate(strandline_request_time_seconds_bucket{api=\"Produce\"}[5m]))) > 1",
            "One in a hundred produce requests to {{ $labels.instance }} takes more than a second.",
            ill(
                "{cluster: c, instance: a}",
                "One in a hundred produce requests to a takes more than a second.",
                bucket("1"),
                "0+50x60",
                bucket("2.5"),
                "0+100x60",
                bucket("+Inf"),
                "0+100x60")),
        new Alert(
            "StrandlineClientsThrottled",
            TICKET,
            "30m",
            "sum by (cluster, instance, api)"
                + " (rate(strandline_request_throttled_seconds_total[5m])) > 1",
            "Quotas hold clients of {{ $labels.instance }} up ({{ $labels.api }}).",
            ill(
                "{cluster: c, instance: a, api: Produce}",
                "Quotas hold clients of a up (Produce).",
                "strandline_request_throttled_seconds_total{cluster=\"c\",instance=\"a\","
                    + "api=\"Produce\"}",
                "0+120x60")));
  }

  private static String bucket(String le) {
    return "strandline_request_time_seconds_bucket{cluster=\"c\",instance=\"a\",api=\"Produce\",le=\""
        + le
        + "\"}";
  }

  // ---- as Prometheus reads them

  /** The rules. */
  static String rules() {
    StringBuilder text = new StringBuilder(HEAD);
    text.append("# severity: page wakes somebody, ticket waits for the morning.\n");
    text.append("groups:\n  - name: strandline\n    rules:\n");
    for (Alert alert : all()) {
      text.append("      - alert: ").append(alert.name()).append('\n');
      text.append("        expr: ").append(quoted(alert.expr())).append('\n');
      text.append("        for: ").append(alert.lasts()).append('\n');
      text.append("        labels:\n          severity: ").append(alert.severity().label());
      text.append("\n        annotations:\n");
      text.append("          summary: ").append(quoted(alert.said())).append('\n');
      text.append("          runbook_url: ").append(url(alert)).append('\n');
    }
    return text.toString();
  }

  /** For promtool: for each rule, series by which it fires; and some by which none does. */
  static String tests() {
    StringBuilder text = new StringBuilder(HEAD);
    text.append("rule_files: [alerts.yaml]\nevaluation_interval: 1m\ntests:\n");
    for (Alert alert : all()) {
      alert.ills().forEach(ill -> fires(text, alert, ill));
    }
    well(text);
    return text.toString();
  }

  private static void fires(StringBuilder text, Alert alert, Alert.Ill ill) {
    text.append("  - interval: 1m\n    input_series:\n");
    List<String> series = ill.series();
    for (int i = 0; i < series.size(); i += 2) {
      text.append("      - series: ").append(quoted(series.get(i))).append('\n');
      text.append("        values: ").append(quoted(series.get(i + 1))).append('\n');
    }
    String at = alert.lasts().equals("1d") ? "1500m" : "60m";
    text.append("    alert_rule_test:\n");
    text.append("      - eval_time: ").append(at).append('\n');
    text.append("        alertname: ").append(alert.name()).append('\n');
    text.append("        exp_alerts:\n          - exp_labels: ");
    String labels = ill.labels().replaceAll("[{}]", "");
    text.append("{severity: ").append(alert.severity().label()).append(", ").append(labels);
    text.append("}\n            exp_annotations:\n              summary: ");
    text.append(quoted(ill.said())).append('\n');
    text.append("              runbook_url: ").append(url(alert)).append('\n');
  }

  /** A cluster on which none fires. */
  private static void well(StringBuilder text) {
    text.append("  - interval: 1m\n    input_series:\n");
    for (String series : WELL) {
      String[] parts = series.split(" ", -1);
      text.append("      - series: ").append(quoted(parts[0])).append('\n');
      text.append("        values: ").append(quoted(parts[1])).append('\n');
    }
    text.append("    alert_rule_test:\n");
    for (String name : all().stream().map(Alert::name).distinct().toList()) {
      text.append("      - {eval_time: 60m, alertname: ").append(name);
      text.append(", exp_alerts: []}\n");
    }
  }

  private static String url(Alert alert) {
    return BOOKS + alert.runbook() + ".md";
  }

  private static String quoted(String text) {
    return "'" + text.replace("'", "''") + "'";
  }
}
