package io.strandline.broker.observe;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/**
 * Named checks of this node. A check of life fails when the process should be started anew; a check
 * of readiness when clients should go elsewhere for now. Thread-safe; a check must answer at once.
 */
public final class Health {
  private final Map<String, Supplier<Check>> life = new ConcurrentHashMap<>();
  private final Map<String, Supplier<Check>> readiness = new ConcurrentHashMap<>();

  /**
   * What a check found.
   *
   * @param ok whether all is well
   * @param detail one line for an operator, empty when there is nothing to say
   */
  public record Check(boolean ok, String detail) {
    /** All is well. */
    public static final Check OK = new Check(true, "");

    /** Not well, and why. */
    public static Check failed(String detail) {
      return new Check(false, detail);
    }

    /** OK when {@code ok}, else failed with {@code detail}. */
    public static Check of(boolean ok, String detail) {
      return ok ? OK : failed(detail);
    }
  }

  /** Adds or replaces a check of life. */
  public void live(String name, Supplier<Check> check) {
    life.put(name, check);
  }

  /** Adds or replaces a check of readiness. */
  public void ready(String name, Supplier<Check> check) {
    readiness.put(name, check);
  }

  /** The checks of life by name. */
  public Map<String, Check> life() {
    return run(life);
  }

  /** The checks of readiness by name. */
  public Map<String, Check> readiness() {
    return run(readiness);
  }

  private static Map<String, Check> run(Map<String, Supplier<Check>> checks) {
    Map<String, Check> results = new LinkedHashMap<>();
    checks.entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .forEach(
            entry -> {
              try {
                results.put(entry.getKey(), entry.getValue().get());
              } catch (RuntimeException e) {
                results.put(entry.getKey(), Check.failed(e.toString()));
              }
            });
    return results;
  }
}
