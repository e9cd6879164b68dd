package io.strandline.broker.transaction.state;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.TransactionResult;
import org.apache.kafka.common.utils.ProducerIdAndEpoch;
import org.apache.kafka.coordinator.transaction.TransactionState;
import org.apache.kafka.server.common.TransactionVersion;

/**
 * The rules against a model that knows only who owns the transactional id and what its transaction
 * holds. Producers come, go on, come back as zombies; time runs out; epochs run out.
 */
class RulesPropertyTest {
  private static final int TIMEOUT_MS = 100;

  /** The model: what producers were told, and what they did since. */
  private static final class World {
    private final TransactionVersion version;
    private final List<ProducerIdAndEpoch> told = new ArrayList<>();
    private final Set<ProducerIdAndEpoch> fenced = new HashSet<>();
    private Optional<ProducerIdAndEpoch> owner = Optional.empty();
    private final Set<TopicPartition> added = new HashSet<>();
    private Optional<TransactionResult> ending = Optional.empty();
    private Transaction now;
    private long nextId = 1000;
    private long nowMs;

    World(TransactionVersion version, short epoch) {
      this.version = version;
      ProducerIdentity producer = new ProducerIdentity(7, epoch, (short) -1, 7, -1);
      this.now =
          new Transaction(
              TransactionState.EMPTY, producer, Set.of(), new Timing(TIMEOUT_MS, -1, 0), version);
    }

    /** As the coordinator does: asks again with an id when it needs one. */
    private Verdict ask(java.util.function.LongFunction<Verdict> rule) {
      Verdict verdict = rule.apply(-1);
      if (verdict instanceof Verdict.NeedsProducerId) {
        verdict = rule.apply(nextId++);
      }
      if (verdict instanceof Verdict.Changed changed) {
        check(changed.next());
        now = changed.next();
      }
      return verdict;
    }

    private void check(Transaction next) {
      assertThat(next.state().validPreviousStates()).contains(now.state());
      if (next.producer().id() == now.producer().id()) {
        assertThat(next.producer().epoch()).isGreaterThanOrEqualTo(now.producer().epoch());
      } else {
        assertThat(next.producer().epoch()).isZero();
        assertThat(next.producer().previousId()).isEqualTo(now.producer().id());
      }
    }

    private void tell(ProducerIdentity identity) {
      assertThat(identity.epoch()).as("kept for fencing").isLessThan(Short.MAX_VALUE);
      ProducerIdAndEpoch fresh = new ProducerIdAndEpoch(identity.id(), identity.epoch());
      owner.filter(old -> !old.equals(fresh)).ifPresent(fenced::add);
      assertThat(fenced).as("nobody gets what another had").doesNotContain(fresh);
      told.add(fresh);
      owner = Optional.of(fresh);
    }

    void init(Optional<ProducerIdAndEpoch> expected) {
      boolean mine = expected.isEmpty() || expected.equals(owner);
      TransactionState before = now.state();
      Verdict verdict =
          ask(id -> new Initialization(expected, TIMEOUT_MS, version, nowMs).decide(now, id));
      if (ending.isPresent()) {
        assertThat(verdict).isEqualTo(Verdict.refused(Errors.CONCURRENT_TRANSACTIONS));
      } else if (verdict instanceof Verdict.Changed changed && changed.next().ending()) {
        assertThat(before).isEqualTo(TransactionState.ONGOING);
        ended(TransactionResult.ABORT);
        owner.ifPresent(fenced::add);
        owner = Optional.empty();
      } else if (verdict instanceof Verdict.Changed changed) {
        assertThat(changed.next().partitions()).isEmpty();
        if (!mine) {
          // The same request again, or a zombie of the id before: the owner goes on as it is or
          // the answer is one that nobody else has.
          assertThat(told).isNotEmpty();
        }
        tell(changed.next().producer());
      } else {
        assertThat(mine && owner.isPresent()).as("the owner may").isFalse();
      }
    }

    void add(ProducerIdAndEpoch producer, int partition) {
      Set<TopicPartition> asked = Set.of(new TopicPartition("t", partition));
      Verdict verdict = ask(id -> new Membership(producer, asked).add(now, version, nowMs));
      if (ending.isPresent()) {
        assertThat(verdict).isEqualTo(Verdict.refused(Errors.CONCURRENT_TRANSACTIONS));
      } else if (owner.filter(producer::equals).isPresent()) {
        added.addAll(asked);
        assertThat(verdict).isNotInstanceOf(Verdict.Refused.class);
        assertThat(now.partitions()).isEqualTo(added);
      } else {
        assertThat(verdict).isInstanceOf(Verdict.Refused.class);
      }
    }

    void end(ProducerIdAndEpoch producer, TransactionResult result) {
      boolean mine = owner.filter(producer::equals).isPresent() && ending.isEmpty();
      TransactionState before = now.state();
      Verdict verdict =
          ask(
              id ->
                  version.supportsEpochBump()
                      ? new BumpingEnd(result, nowMs).decide(now, producer, id)
                      : new PlainEnd(producer, result, nowMs).decide(now));
      if (verdict instanceof Verdict.Changed changed) {
        assertThat(mine).as("only its owner ends it").isTrue();
        assertThat(changed.next().partitions()).as("all get markers").isEqualTo(added);
        ended(result);
        if (version.supportsEpochBump()) {
          tell(changed.next().completed(nowMs).producer());
        }
      } else if (mine) {
        assertThat(before).as("what is open can be ended").isNotEqualTo(TransactionState.ONGOING);
      }
    }

    private void ended(TransactionResult result) {
      ending = Optional.of(result);
      assertThat(now.result()).isEqualTo(result);
    }

    void complete() {
      if (ending.isPresent()) {
        Transaction prepared = now;
        ask(id -> new MarkedEnd(prepared, nowMs).decide(now));
        assertThat(now.ending()).isFalse();
        assertThat(now.result()).isEqualTo(ending.get());
        assertThat(new MarkedEnd(prepared, nowMs).decide(now))
            .isEqualTo(Verdict.refused(Errors.INVALID_TXN_STATE));
        ending = Optional.empty();
        added.clear();
      }
    }

    void timeOut() {
      nowMs += TIMEOUT_MS + 1;
      if (now.timedOut(nowMs)) {
        assertThat(now.state()).isEqualTo(TransactionState.ONGOING);
        ProducerIdentity seen = now.producer();
        Verdict verdict = ask(id -> new Fence(version, nowMs).decide(now, seen, id));
        assertThat(verdict).isInstanceOf(Verdict.Changed.class);
        ended(TransactionResult.ABORT);
        owner.ifPresent(fenced::add);
        owner = Optional.empty();
      }
    }

    ProducerIdAndEpoch someone(int which) {
      return which % 3 == 0 || told.isEmpty()
          ? owner.orElse(new ProducerIdAndEpoch(7, (short) 0))
          : told.get(which % told.size());
    }
  }

  @Property(tries = 3000)
  void whoOwnsTheIdDecidesAndNobodyElse(
      @ForAll @Size(max = 60) List<@IntRange(max = 99_999) Integer> steps,
      @ForAll boolean bumping,
      @ForAll @IntRange(max = 6) int epochsLeft) {
    World world =
        new World(
            bumping ? TransactionVersion.TV_2 : TransactionVersion.TV_1,
            (short) (Short.MAX_VALUE - 1 - epochsLeft));
    world.init(Optional.empty());
    for (int step : steps) {
      int which = step / 10;
      switch (step % 10) {
        case 0 -> world.init(Optional.empty());
        case 1 -> world.init(Optional.of(world.someone(which)));
        case 2, 3, 4 -> world.add(world.someone(which), which % 4);
        case 5 -> world.end(world.someone(which), TransactionResult.COMMIT);
        case 6 -> world.end(world.someone(which), TransactionResult.ABORT);
        case 7, 8 -> world.complete();
        default -> world.timeOut();
      }
    }
  }
}
