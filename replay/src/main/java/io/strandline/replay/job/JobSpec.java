package io.strandline.replay.job;

import java.util.Map;
import java.util.Set;

/**
 * What a job reads.
 *
 * @param topic a name, or an id where several topics had the name
 * @param partitions none: all of them
 * @param from where each partition begins
 * @param to where it ends; never beyond what was in the bucket when the job was made
 * @param resume offsets to begin at instead, by partition: the {@code nextOffset}s of an earlier
 *     job's progress over the same topic, by its id; partitions that it does not name begin at
 *     {@code from}, which has to be the earlier job's if that was an offset behind a partition's
 *     end
 * @param parallelism partitions read at once
 * @param committedOnly leave out records of aborted transactions (what is open is never in the
 *     bucket)
 * @param damage what to do about a range that is missing, damaged or does not decode
 * @param bytesPerSecond of all partitions together; 0 is without limit
 */
public record JobSpec(
    String topic,
    Set<Integer> partitions,
    Position from,
    Position to,
    Map<Integer, Long> resume,
    int parallelism,
    boolean committedOnly,
    Damage damage,
    long bytesPerSecond) {
  /** What a job does when it meets a range that cannot be read. */
  public enum Damage {
    /** It ends with an error that names the range. */
    FAIL,
    /** It goes on behind the range, which its progress lists. */
    SKIP
  }

  public JobSpec {
    partitions = Set.copyOf(partitions);
    resume = Map.copyOf(resume);
    if (parallelism < 1 || bytesPerSecond < 0) {
      throw new IllegalArgumentException(
          "not a job: " + parallelism + " at once, " + bytesPerSecond + " bytes a second");
    }
  }

  /** All of a topic, committed records only, four partitions at once; damage ends it. */
  public static JobSpec of(String topic) {
    return new JobSpec(
        topic, Set.of(), Position.edge(), Position.edge(), Map.of(), 4, true, Damage.FAIL, 0);
  }

  public JobSpec partitions(Set<Integer> wanted) {
    return new JobSpec(
        topic, wanted, from, to, resume, parallelism, committedOnly, damage, bytesPerSecond);
  }

  public JobSpec from(Position position) {
    return new JobSpec(
        topic,
        partitions,
        position,
        to,
        resume,
        parallelism,
        committedOnly,
        damage,
        bytesPerSecond);
  }

  public JobSpec to(Position position) {
    return new JobSpec(
        topic,
        partitions,
        from,
        position,
        resume,
        parallelism,
        committedOnly,
        damage,
        bytesPerSecond);
  }

  public JobSpec resume(Map<Integer, Long> nextOffsets) {
    return new JobSpec(
        topic,
        partitions,
        from,
        to,
        nextOffsets,
        parallelism,
        committedOnly,
        damage,
        bytesPerSecond);
  }

  public JobSpec parallelism(int atOnce) {
    return new JobSpec(
        topic, partitions, from, to, resume, atOnce, committedOnly, damage, bytesPerSecond);
  }

  public JobSpec committedOnly(boolean only) {
    return new JobSpec(
        topic, partitions, from, to, resume, parallelism, only, damage, bytesPerSecond);
  }

  public JobSpec onDamage(Damage then) {
    return new JobSpec(
        topic, partitions, from, to, resume, parallelism, committedOnly, then, bytesPerSecond);
  }

  public JobSpec bytesPerSecond(long limit) {
    return new JobSpec(
        topic, partitions, from, to, resume, parallelism, committedOnly, damage, limit);
  }
}
