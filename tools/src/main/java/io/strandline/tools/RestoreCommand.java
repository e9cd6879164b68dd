package io.strandline.tools;

import io.strandline.tiering.mount.CutTransaction;
import io.strandline.tiering.mount.ForeignTopic;
import io.strandline.tools.restore.Origin;
import io.strandline.tools.restore.SavedTopic;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What comes back from a bucket. */
@Command(
    name = "restore",
    description = "Restore from a bucket.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND")
final class RestoreCommand {
  private RestoreCommand() {}

  @Command(
      name = "topic",
      description = {
        "Make a topic that goes on where another cluster's tier of it ends.",
        "Of this cluster's own topics only a copy can be made. The segments stay in the other"
            + " cluster's store, which must stay as it is, or with --copy"
            + " until the brokers have copied all: strandline_mount_copying is 0 then, and tier ls"
            + " --foreign shows none. That store is only read. Its cluster must be gone, or its"
            + " topic at rest, not expiring, compacted nor merged: retention.ms=-1,"
            + " retention.bytes=-1, cleanup.policy=delete, remote.storage.enable=false (the last is"
            + " not taken over from there)."
            + " The exit code is 1 if not all partitions are there in time: the brokers go on."
      },
      mixinStandardHelpOptions = true)
  int topic(
      @Mixin TopicSource source,
      @Mixin Connection connection,
      @Mixin Printer printer,
      @Mixin Wanted wanted,
      @Mixin Goods goods)
      throws IOException, ExecutionException, InterruptedException {
    TopicSource.Found found = source.find();
    goods.requireKnown(found);
    try (Admin admin = connection.admin()) {
      Takeover takeover = new Takeover(admin, wanted.name(found));
      ForeignTopic.Use use = goods.copy ? ForeignTopic.Use.COPY : ForeignTopic.Use.RESTORE;
      takeover.create(found, use, goods.configs(found));
      configs(printer, found.saved());
      String as = wanted.said(found);
      String rest =
          "; the other cluster must be gone, or its topic at rest (tier restore topic --help),";
      String hint =
          as
              + (goods.copy
                  ? "; its segments are copied from now on" + rest + " until all are"
                  : rest + " as long as this one lives");
      return end(printer, found, takeover.await(found, wanted.timeout()), hint);
    }
  }

  @Command(
      name = "plan",
      description = "Say what of a topic could be restored, and up to where; nothing is done.",
      mixinStandardHelpOptions = true)
  int plan(@Mixin TopicSource source, @Mixin Printer printer) throws IOException {
    TopicSource.Found found = source.find();
    Takeover.report(printer, found, Map.of());
    configs(printer, found.saved());
    return 0;
  }

  private static void configs(Printer printer, SavedTopic saved) {
    saved.configs().forEach((key, value) -> printer.row("config", key, "value", value));
    if (!saved.missing().isEmpty()) {
      printer.row("config", "not known", "value", saved.missing());
    }
    printer.flush();
  }

  /**
   * Reports, and says what to look at if something is missing.
   *
   * @param hint for when nothing is
   */
  static int end(
      Printer printer, TopicSource.Found found, Map<Integer, long[]> ready, String hint) {
    Takeover.report(printer, found, ready);
    boolean all = ready.size() == found.parts().size();
    printer.total(
        all
            ? "all partitions of " + found.topic() + " are there" + hint
            : "not all partitions are there yet: do the brokers have this store in"
                + " strandline.mount.stores? Their logs say what they wait for.",
        "topic",
        found.topic(),
        "cluster",
        found.cluster(),
        "partitions",
        found.parts().size(),
        "ready",
        ready.size());
    return all ? 0 : 1;
  }

  /** What a restored topic gets. */
  static final class Goods {
    @Option(
        names = "--copy",
        description = "Copy the segments into this cluster's store, in the background.")
    private boolean copy;

    @Option(
        names = {"-c", "--config"},
        paramLabel = "KEY=VALUE",
        description =
            "A topic config, over what the other cluster had, as its newest whole backup of the"
                + " metadata tells; repeatable.")
    private Map<String, String> given = Map.of();

    /**
     * With the default configs of a cluster a topic that was to keep all would expire, and one that
     * was compacted not be.
     *
     * @throws IllegalArgumentException if what it had is in backups that cannot be read, and none
     *     was given
     */
    void requireKnown(TopicSource.Found found) {
      if (found.saved().unread() && given.isEmpty()) {
        throw new IllegalArgumentException(
            "the configs and the number of partitions that "
                + found.topic()
                + " had are not known ("
                + found.saved().missing()
                + "): see what there is with strandline tier restore plan, and give its configs"
                + " with -c");
      }
    }

    Map<String, String> configs(TopicSource.Found found) {
      Map<String, String> all = new HashMap<>(found.saved().configs());
      all.putAll(given);
      return all;
    }
  }

  /** What the topic is to be here: options shared by restore and mount. */
  static final class Wanted {
    @Option(
        names = "--as",
        paramLabel = "NAME",
        description = "The topic's name here (default: as there).")
    private @Nullable String as;

    @Option(
        names = "--timeout",
        paramLabel = "DURATION",
        defaultValue = "PT2M",
        description = "How long to wait for the brokers, as in PT30S (default: ${DEFAULT-VALUE}).")
    private Duration timeout = Duration.ZERO;

    String name(TopicSource.Found found) {
      return as == null ? found.topic() : as;
    }

    /** For the end of a sentence about the topic, if it bears another name here. */
    String said(TopicSource.Found found) {
      return as == null || as.equals(found.topic()) ? "" : " as " + as;
    }

    Duration timeout() {
      return timeout;
    }
  }

  /**
   * Makes a topic whose history is another cluster's. First the cluster's configuration says whose
   * it is, then the topic is created: so its leaders know before anybody can write to it.
   */
  static final class Takeover {
    private static final int LOOKS = 10;

    private final Admin admin;
    private final String topic;
    private final Origin origin;

    /**
     * @param topic its name here
     */
    Takeover(Admin admin, String topic) {
      this.admin = admin;
      this.topic = topic;
      this.origin = new Origin(admin, topic);
    }

    /** Creates the topic with as many partitions as it has there. */
    void create(TopicSource.Found source, ForeignTopic.Use use, Map<String, String> configs)
        throws ExecutionException, InterruptedException {
      if (use == ForeignTopic.Use.RESTORE) {
        requireOther(source);
      }
      requireNone();
      NewTopic fresh =
          new NewTopic(topic, Optional.of(source.parts().size()), Optional.empty())
              .configs(configs);
      origin.say(
          new ForeignTopic(use, source.cluster(), source.topicId(), Optional.empty()),
          new Origin.Making() {
            @Override
            public void check() throws ExecutionException, InterruptedException {
              requireNone(); // from now on one of this name begins with that history
            }

            @Override
            public Uuid create()
                throws Origin.NotMadeException, ExecutionException, InterruptedException {
              return make(fresh);
            }
          });
    }

    private void requireNone() throws ExecutionException, InterruptedException {
      if (admin.listTopics().names().get().contains(topic)) {
        throw new TopicExistsException("there is a topic " + topic + ": choose another name, --as");
      }
    }

    /**
     * Creates the topic. It may be there though the answer says otherwise or is none: one that is
     * lost makes the client ask again, for what is there by then.
     *
     * @return its id
     */
    private Uuid make(NewTopic fresh)
        throws Origin.NotMadeException, ExecutionException, InterruptedException {
      try {
        return admin.createTopics(List.of(fresh)).topicId(topic).get();
      } catch (ExecutionException e) {
        Optional<Uuid> there;
        try {
          there = there();
        } catch (ExecutionException unknown) {
          e.addSuppressed(unknown);
          throw e;
        }
        return there.orElseThrow(() -> new Origin.NotMadeException(e));
      }
    }

    /** The topic's id, if the brokers know of it or soon do. */
    private Optional<Uuid> there() throws ExecutionException, InterruptedException {
      CountDownLatch pause = new CountDownLatch(1);
      for (int i = 0; i < LOOKS; i++) {
        try {
          return Optional.of(
              Answer.to(admin.describeTopics(List.of(topic)).allTopicNames().get(), topic)
                  .topicId());
        } catch (ExecutionException e) {
          if (!(e.getCause() instanceof UnknownTopicOrPartitionException)) {
            throw e;
          }
        }
        var unused = pause.await(100, TimeUnit.MILLISECONDS);
      }
      return Optional.empty();
    }

    /** Of this cluster's own a topic would name objects that another one's retention deletes. */
    private void requireOther(TopicSource.Found source)
        throws ExecutionException, InterruptedException {
      if (admin.describeCluster().clusterId().get().equals(source.cluster())) {
        throw new IllegalArgumentException(
            source.topic()
                + " ("
                + source.topicId()
                + ") is a topic of this very cluster, whose retention, compaction and deletion go on"
                + " with the segments that the restored topic would only name: give --copy, and"
                + " keep it as it is until all is copied");
      }
    }

    /** Deletes the topic if it is a mount, and what was said of it. */
    void unmount() throws ExecutionException, InterruptedException {
      if (origin.said().filter(said -> said.use() == ForeignTopic.Use.MOUNT).isEmpty()) {
        throw new IllegalArgumentException(topic + " is not mounted");
      }
      if (admin.listTopics().names().get().contains(topic)) {
        admin.deleteTopics(List.of(topic)).all().get();
      }
      origin.takeAway();
    }

    /**
     * Waits until every partition is led and shows its history.
     *
     * @return log start and end by partition; fewer if some are not there in time
     */
    Map<Integer, long[]> await(TopicSource.Found source, Duration limit)
        throws ExecutionException, InterruptedException {
      Map<Integer, long[]> ready = new HashMap<>();
      CountDownLatch pause = new CountDownLatch(1);
      long deadline = System.nanoTime() + limit.toNanos();
      while (ready.size() < source.parts().size() && System.nanoTime() < deadline) {
        for (TopicSource.Part part : source.parts()) {
          if (!ready.containsKey(part.index())) {
            long end = offset(part.index(), OffsetSpec.latest());
            if (end >= part.endOffset()) {
              ready.put(
                  part.index(), new long[] {offset(part.index(), OffsetSpec.earliest()), end});
            }
          }
        }
        var unused = pause.await(100, TimeUnit.MILLISECONDS);
      }
      return ready;
    }

    /** -1 while it can not be told. */
    private long offset(int partition, OffsetSpec spec)
        throws ExecutionException, InterruptedException {
      TopicPartition asked = new TopicPartition(topic, partition);
      try {
        ListOffsetsResultInfo info =
            admin.listOffsets(Map.of(asked, spec)).partitionResult(asked).get(2, TimeUnit.SECONDS);
        return info.offset();
      } catch (java.util.concurrent.TimeoutException late) {
        return -1;
      } catch (ExecutionException e) {
        if (e.getCause() instanceof RetriableException) {
          return -1;
        }
        throw e;
      }
    }

    /** Prints each partition, and each transaction that was cut. */
    static void report(Printer printer, TopicSource.Found source, Map<Integer, long[]> ready) {
      for (TopicSource.Part part : source.parts()) {
        long[] here = ready.get(part.index());
        printer.row(
            "partition",
            part.index(),
            "start",
            here == null ? null : here[0],
            "end",
            here == null ? null : here[1],
            "tierEnd",
            part.endOffset(),
            "segments",
            part.segments(),
            "bytes",
            part.bytes(),
            "cutTransactions",
            part.cut().size());
      }
      printer.flush();
      for (TopicSource.Part part : source.parts()) {
        for (CutTransaction cut : part.cut()) {
          printer.row(
              "partition",
              part.index(),
              "producer",
              cut.producerId(),
              "epoch",
              cut.producerEpoch(),
              "transactionFrom",
              cut.firstOffset(),
              "cutAt",
              part.endOffset(),
              "ended",
              cut.aborted() ? "aborted" : "committed");
        }
      }
      printer.flush();
    }
  }
}
