package io.strandline.tiering.manifest;

import io.strandline.tiering.manifest.ManifestVersion.Step;
import io.strandline.tiering.manifest.retired.RetiredPages;
import io.strandline.tiering.manifest.retired.RetiredRun;
import java.util.List;
import java.util.function.BiPredicate;

/**
 * What must hold between a version and the next (design, invariant 5), by name. Checked before each
 * commit: a violation is a defect of ours, and the version is not written.
 */
record ManifestInvariants(String name, BiPredicate<ManifestVersion, ManifestVersion> holds) {
  static final List<ManifestInvariants> ALL =
      List.of(
          new ManifestInvariants(
              "number follows", (before, after) -> after.number() == before.number() + 1),
          new ManifestInvariants(
              "same partition", (before, after) -> after.partition().equals(before.partition())),
          new ManifestInvariants(
              "epoch never falls", (before, after) -> after.leaderEpoch() >= before.leaderEpoch()),
          new ManifestInvariants(
              "parent named",
              (before, after) ->
                  !after.ancestry().isEmpty() && after.ancestry().get(0).equals(before.nonce())),
          new ManifestInvariants(
              "nonce fresh", (before, after) -> !before.descendsFrom(after.nonce())),
          new ManifestInvariants(
              "end is final",
              (before, after) ->
                  !before.deleted()
                      || (after.deleted()
                          && (after.step() == Step.FORGET || after.step() == Step.CLAIM))),
          new ManifestInvariants(
              "range ordered",
              (before, after) ->
                  after.startOffset() <= after.endOffset()
                      && (after.segments() > 0 || after.startOffset() == after.endOffset())),
          new ManifestInvariants(
              "index dense",
              (before, after) ->
                  after.index().dense()
                      && after.index().isEmpty() == (after.segments() == 0)
                      && (after.index().isEmpty()
                          || after.index().endOffset() == after.endOffset())),
          new ManifestInvariants(
              "segments conserved",
              (before, after) -> {
                long was = (long) before.segments() + before.retiredSegments();
                long is = (long) after.segments() + after.retiredSegments();
                return switch (after.step()) {
                  case CLAIM, ADVANCE_START, DELETE, TRUNCATE -> is == was;
                  case ADD -> is > was;
                  case FORGET -> is < was;
                  case REPLACE -> is >= was;
                };
              }),
          new ManifestInvariants(
              "retired counted",
              (before, after) -> {
                int named = RetiredPages.namedSegments(after.retired());
                boolean allNamed =
                    after.retired().stream().allMatch(RetiredRun.Named.class::isInstance);
                return allNamed
                    ? named == after.retiredSegments()
                    : named < after.retiredSegments();
              }),
          new ManifestInvariants(
              "compaction within range",
              (before, after) ->
                  after
                      .compaction()
                      .equals(after.compaction().within(after.startOffset(), after.endOffset()))),
          new ManifestInvariants(
              "clean stays clean",
              (before, after) ->
                  after.step() == Step.TRUNCATE
                      || after.compaction().cleanedOffset() >= before.compaction().cleanedOffset()),
          new ManifestInvariants(
              "progress by replacing",
              (before, after) ->
                  after.step() == Step.REPLACE
                      || after
                          .compaction()
                          .equals(
                              before.compaction().within(after.startOffset(), after.endOffset()))),
          new ManifestInvariants(
              "step lawful",
              (before, after) ->
                  switch (after.step()) {
                    case CLAIM ->
                        sameHeld(before, after)
                            && sameRetired(before, after)
                            && after.leaderEpoch() > before.leaderEpoch();
                    case ADD ->
                        after.endOffset() > before.endOffset()
                            && after.segments() > before.segments()
                            && (after.startOffset() == before.startOffset()
                                || before.segments() == 0)
                            && sameRetired(before, after);
                    case ADVANCE_START ->
                        after.startOffset() > before.startOffset()
                            && after.endOffset()
                                == Math.max(before.endOffset(), after.startOffset())
                            && after.segments() <= before.segments();
                    case FORGET ->
                        sameHeld(before, after)
                            && after.retiredSegments() < before.retiredSegments();
                    case DELETE -> !before.deleted() && after.deleted() && after.segments() == 0;
                    case REPLACE ->
                        after.startOffset() == before.startOffset()
                            && after.endOffset() == before.endOffset()
                            && (after.retiredSegments() > before.retiredSegments()
                                || (sameHeld(before, after)
                                    && sameRetired(before, after)
                                    && !after.compaction().equals(before.compaction())));
                    case TRUNCATE ->
                        (after.startOffset() <= before.startOffset() || after.segments() == 0)
                            && after.endOffset() < before.endOffset();
                  }));

  /** Those that do not hold. */
  static List<String> violated(ManifestVersion before, ManifestVersion after) {
    return ALL.stream()
        .filter(invariant -> !invariant.holds().test(before, after))
        .map(ManifestInvariants::name)
        .toList();
  }

  /**
   * @throws IllegalStateException naming those that do not hold
   */
  static void check(ManifestVersion before, ManifestVersion after) {
    List<String> violated = violated(before, after);
    if (!violated.isEmpty()) {
      throw new IllegalStateException(
          "version "
              + after.number()
              + " of "
              + after.partition()
              + " ("
              + after.step()
              + ") breaks "
              + violated);
    }
  }

  private static boolean sameHeld(ManifestVersion before, ManifestVersion after) {
    return after.startOffset() == before.startOffset()
        && after.endOffset() == before.endOffset()
        && after.segments() == before.segments()
        && after.segmentBytes() == before.segmentBytes();
  }

  private static boolean sameRetired(ManifestVersion before, ManifestVersion after) {
    return after.retiredSegments() == before.retiredSegments();
  }
}
