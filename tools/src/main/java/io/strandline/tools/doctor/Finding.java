package io.strandline.tools.doctor;

import java.util.Collection;

/**
 * What one check found.
 *
 * @param check what was looked at, first its kind: {@code disk /data}, {@code bucket list}
 * @param found in words, with figures; never a secret
 * @param advice what to do about it; empty where nothing is to be done
 */
public record Finding(String check, Verdict verdict, String found, String advice) {
  static Finding ok(String check, String found) {
    return new Finding(check, Verdict.OK, found, "");
  }

  static Finding warn(String check, String found, String advice) {
    return new Finding(check, Verdict.WARN, found, advice);
  }

  static Finding fail(String check, String found, String advice) {
    return new Finding(check, Verdict.FAIL, found, advice);
  }

  /** The worst of them; OK of none. */
  public static Verdict worst(Collection<Finding> findings) {
    return findings.stream().map(Finding::verdict).reduce(Verdict.OK, Verdict::worse);
  }
}
