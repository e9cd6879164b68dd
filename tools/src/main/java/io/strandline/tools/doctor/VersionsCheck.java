package io.strandline.tools.doctor;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.DescribeFeaturesOptions;
import org.apache.kafka.clients.admin.FeatureMetadata;
import org.apache.kafka.clients.admin.FinalizedVersionRange;
import org.apache.kafka.clients.admin.SupportedVersionRange;
import org.apache.kafka.common.Node;
import org.apache.kafka.server.common.MetadataVersion;

/** The levels of features that the cluster has agreed on, against what each broker can do. */
final class VersionsCheck implements Check {
  private final Admin admin;

  VersionsCheck(Admin admin) {
    this.admin = admin;
  }

  @Override
  public List<Finding> run() throws Exception {
    Map<String, FinalizedVersionRange> agreed =
        admin.describeFeatures().featureMetadata().get().finalizedFeatures();
    Map<Integer, Map<String, SupportedVersionRange>> brokers = new TreeMap<>();
    for (Node node : admin.describeCluster().nodes().get()) {
      FeatureMetadata told =
          admin
              .describeFeatures(new DescribeFeaturesOptions().nodeId(node.id()))
              .featureMetadata()
              .get();
      brokers.put(node.id(), told.supportedFeatures());
    }
    List<Finding> findings = new ArrayList<>();
    findings.add(mixed(brokers));
    findings.add(levels(agreed, brokers));
    return findings;
  }

  private static Finding mixed(Map<Integer, Map<String, SupportedVersionRange>> brokers) {
    Map<Map<String, SupportedVersionRange>, Set<Integer>> alike = new HashMap<>();
    brokers.forEach(
        (id, features) -> alike.computeIfAbsent(features, unused -> new HashSet<>()).add(id));
    return alike.size() <= 1
        ? Finding.ok("versions brokers", "all support the same: " + brokers.keySet())
        : Finding.warn(
            "versions brokers",
            "mixed, alike are " + alike.values(),
            "Right while an upgrade is under way, or with brokers of Apache Kafka beside; else finish"
                + " the upgrade.");
  }

  private static Finding levels(
      Map<String, FinalizedVersionRange> agreed,
      Map<Integer, Map<String, SupportedVersionRange>> brokers) {
    Map<String, String> lower = new TreeMap<>();
    Map<String, String> levels = new TreeMap<>();
    agreed.forEach(
        (feature, range) -> {
          short level = range.maxVersionLevel();
          levels.put(feature, name(feature, level));
          short possible = possible(feature, brokers);
          if (feature.equals(MetadataVersion.FEATURE_NAME) && level < possible) {
            lower.put(feature, name(feature, possible));
          }
        });
    return lower.isEmpty()
        ? Finding.ok("versions features", levels.toString())
        : Finding.warn(
            "versions features",
            levels + "; all brokers could do " + lower,
            "When no downgrade is wanted any more: kafka-features.sh upgrade --feature"
                + " metadata.version=LEVEL");
  }

  /** The highest level that all brokers support. */
  private static short possible(
      String feature, Map<Integer, Map<String, SupportedVersionRange>> brokers) {
    return (short)
        brokers.values().stream()
            .map(supported -> supported.get(feature))
            .mapToInt(range -> range == null ? 0 : range.maxVersion())
            .min()
            .orElse(0);
  }

  private static String name(String feature, short level) {
    if (feature.equals(MetadataVersion.FEATURE_NAME)) {
      try {
        return MetadataVersion.fromFeatureLevel(level).version();
      } catch (IllegalArgumentException e) {
        return "level " + level;
      }
    }
    return Short.toString(level);
  }
}
