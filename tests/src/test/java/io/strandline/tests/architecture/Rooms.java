package io.strandline.tests.architecture;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The package table: each room and the rooms it may import. A room is a package with its
 * sub-packages, but for those that are rooms of their own. The living version of the table stands
 * in docs/architecture.md.
 */
final class Rooms {
  static final String ROOT = "io.strandline.";

  private static final Map<String, Set<String>> MAY_IMPORT = new LinkedHashMap<>();

  static {
    room("cache");
    room("tiering.store");
    room("tiering.segment", "tiering.store");
    room("tiering.seal", "tiering.segment");
    room("tiering.upload", "tiering.seal", "tiering.segment", "tiering.store");
    room("tiering.manifest", "tiering.upload", "tiering.segment", "tiering.store");
    room("tiering.reclaim", "tiering.manifest", "tiering.segment", "tiering.store");
    room(
        "tiering.scrub", "tiering.manifest", "tiering.restore", "tiering.segment", "tiering.store");
    room("tiering.compact", "tiering.manifest", "tiering.segment", "tiering.store");
    room(
        "tiering.mount",
        "tiering.manifest",
        "tiering.restore",
        "tiering.segment",
        "tiering.store",
        "tiering.upload");
    room("tiering.restore", "tiering.manifest", "tiering.segment", "tiering.store");
    room("tiering", "tiering.*");
    room("replay.plan", "tiering.*", "cache");
    room("replay.fetch", "replay.plan", "replay.decode", "tiering.*", "cache");
    room("replay.decode", "tiering.*", "cache");
    room("replay", "replay.*", "tiering.*", "cache");
    room("replay.job", "replay", "replay.*", "tiering.*", "cache");
    room(
        "broker.log",
        "tiering.seal",
        "tiering.segment",
        "tiering.reclaim",
        "tiering.compact",
        "tiering.manifest");
    room("broker.observe");
    room("broker.guard", "broker.control");
    room("broker.control", "broker.log");
    room("broker.replica", "broker.log", "broker.control", "tiering.manifest", "tiering.segment");
    room(
        "broker.partition",
        "broker.log",
        "broker.replica",
        "broker.control",
        "broker.observe",
        "replay",
        "tiering",
        "tiering.*");
    room("broker.restore", "broker.control", "broker.log", "replay", "tiering.*");
    room(
        "broker.mount",
        "broker.partition",
        "broker.control",
        "broker.log",
        "tiering.mount",
        "tiering.manifest",
        "tiering.segment",
        "tiering.store");
    room(
        "broker.history",
        "broker.partition",
        "broker.replica",
        "broker.control",
        "broker.log",
        "replay");
    room("broker.coordinator", "broker.partition", "broker.control", "broker.log");
    room("broker.group", "broker.coordinator", "broker.partition", "broker.control", "broker.log");
    room(
        "broker.transaction",
        "broker.coordinator",
        "broker.partition",
        "broker.control",
        "broker.log");
    room("broker.share", "broker.coordinator", "broker.partition", "broker.control");
    room("broker.telemetry", "broker.control");
    room(
        "broker.request",
        "broker.history",
        "broker.partition",
        "broker.replica",
        "broker.group",
        "broker.transaction",
        "broker.share",
        "broker.control",
        "broker.guard",
        "broker.log",
        "broker.telemetry",
        "broker.observe",
        "replay");
    room("broker.socket", "broker.request", "broker.guard", "broker.observe");
    room("broker", "broker.*", "replay", "replay.*", "tiering", "tiering.*", "cache");
    room("tools", "replay", "replay.*", "tiering", "tiering.*", "cache");
  }

  private Rooms() {}

  private static void room(String name, String... mayImport) {
    MAY_IMPORT.put(name, Set.of(mayImport));
  }

  /** The room a package lies in, if it is in the table. */
  static Optional<String> of(String packageName) {
    if (!packageName.startsWith(ROOT)) {
      return Optional.empty();
    }
    String inside = packageName.substring(ROOT.length());
    return MAY_IMPORT.keySet().stream()
        .filter(room -> inside.equals(room) || inside.startsWith(room + "."))
        .max(Comparator.comparingInt(String::length));
  }

  static boolean mayImport(String room, String other) {
    return room.equals(other)
        || MAY_IMPORT.getOrDefault(room, Set.of()).stream()
            .anyMatch(
                allowed ->
                    allowed.endsWith(".*")
                        ? other.startsWith(allowed.substring(0, allowed.length() - 1))
                        : allowed.equals(other));
  }

  /** A cycle in a graph of rooms, empty if there is none. */
  static List<String> cycle(Map<String, Set<String>> imports) {
    Map<String, Boolean> done = new HashMap<>();
    for (String room : imports.keySet()) {
      List<String> path = new ArrayList<>();
      if (visit(room, imports, done, path)) {
        return path;
      }
    }
    return List.of();
  }

  private static boolean visit(
      String room, Map<String, Set<String>> imports, Map<String, Boolean> done, List<String> path) {
    Boolean state = done.get(room);
    if (state != null) {
      if (!state) {
        path.add(room);
      }
      return !state;
    }
    done.put(room, false);
    path.add(room);
    for (String next : imports.getOrDefault(room, Set.of())) {
      if (visit(next, imports, done, path)) {
        return true;
      }
    }
    path.remove(path.size() - 1);
    done.put(room, true);
    return false;
  }
}
