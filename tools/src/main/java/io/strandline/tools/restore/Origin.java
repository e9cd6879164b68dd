package io.strandline.tools.restore;

import io.strandline.tiering.mount.ForeignTopic;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;

/**
 * What the cluster's configuration says of a topic's history. It is said before there is a topic of
 * that name, and holds for whatever topic gets the name until it says which: so it is not left like
 * that, however this process ends. A signal waits for what is under way, and who gave it is told
 * what is left all the same.
 */
public final class Origin {
  private static final ConfigResource CLUSTER = new ConfigResource(ConfigResource.Type.BROKER, "");
  private static final long END_WITHIN_S = 5;

  private final Admin admin;
  private final String topic;
  private final String key;
  private final CountDownLatch over = new CountDownLatch(1);
  private volatile String state = "nothing was made";

  /** What is done once the history is said. */
  public interface Making {
    /** Whether nothing stands in the way; after a failure what was said is taken back. */
    void check() throws ExecutionException, InterruptedException;

    /**
     * Creates the topic.
     *
     * @return its id
     * @throws NotMadeException if there certainly is none; after any other failure there may be
     *     one, and what was said of it stays, or it would begin as one without a history
     */
    Uuid create() throws NotMadeException, ExecutionException, InterruptedException;
  }

  /** There is no such topic. */
  public static final class NotMadeException extends Exception {
    private static final long serialVersionUID = 1;

    private final transient ExecutionException why;

    public NotMadeException(ExecutionException why) {
      super(why);
      this.why = why;
    }
  }

  /**
   * @param topic its name here
   */
  public Origin(Admin admin, String topic) {
    this.admin = admin;
    this.topic = topic;
    this.key = ForeignTopic.key(topic);
  }

  /**
   * Has the topic made, with that history.
   *
   * @throws IllegalStateException if something may be left that is to be put right by hand
   */
  public void say(ForeignTopic history, Making making)
      throws ExecutionException, InterruptedException {
    Thread onSignal = new Thread(this::awaitEnd, "origin-signal");
    Runtime.getRuntime().addShutdownHook(onSignal);
    try {
      begin(history, making);
      hold(history, made(making));
    } finally {
      over.countDown();
      forget(onSignal);
    }
  }

  private void begin(ForeignTopic history, Making making)
      throws ExecutionException, InterruptedException {
    state = "the cluster's configuration " + key + " may be set" + advice();
    try {
      set(history.value());
      making.check();
    } catch (ExecutionException | InterruptedException | RuntimeException failure) {
      takeBack(failure);
      throw failure;
    }
  }

  private Uuid made(Making making) throws ExecutionException {
    state =
        "whether there is a topic "
            + topic
            + " now is not known, and the cluster's configuration "
            + key
            + " is set"
            + advice();
    try {
      return making.create();
    } catch (NotMadeException failed) {
      takeBack(failed.why);
      throw failed.why;
    } catch (ExecutionException | InterruptedException | RuntimeException unknown) {
      throw leaving(unknown);
    }
  }

  private void hold(ForeignTopic history, Uuid id) {
    String held = history.heldBy(id).value();
    state =
        "the topic "
            + topic
            + " is there and has its history, but the cluster's configuration "
            + key
            + " may not tell its id: set it to "
            + held
            + ", or a later topic of that name begins with that history too";
    try {
      set(held);
    } catch (ExecutionException | InterruptedException | RuntimeException failure) {
      throw leaving(failure);
    }
    state = "the topic " + topic + " is there, and the brokers go on";
  }

  private String advice() {
    return ": if there is no such topic, take it away, or the next of that name begins with the"
        + " other cluster's history (kafka-configs.sh --alter --entity-type brokers"
        + " --entity-default --delete-config "
        + key
        + ")";
  }

  private void takeBack(Exception why) {
    try {
      takeAway();
    } catch (ExecutionException | InterruptedException | RuntimeException failure) {
      why.addSuppressed(failure);
      throw leaving(why);
    }
    state = "nothing was made";
  }

  private IllegalStateException leaving(Exception why) {
    Throwable cause = why instanceof ExecutionException ? why.getCause() : why;
    return new IllegalStateException(cause + ": " + state, why);
  }

  /** The process was given a signal; its other threads go on. */
  private void awaitEnd() {
    System.err.println("interrupted: ends once it is settled whether there is a topic " + topic);
    try {
      boolean unused = over.await(END_WITHIN_S, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    System.err.println(state);
  }

  private static void forget(Thread onSignal) {
    try {
      boolean unused = Runtime.getRuntime().removeShutdownHook(onSignal);
    } catch (IllegalStateException e) {
      // The process is ending, by a signal.
    }
  }

  /** What is said, if anything is. */
  public Optional<ForeignTopic> said() throws ExecutionException, InterruptedException {
    Map<ConfigResource, Config> all = admin.describeConfigs(List.of(CLUSTER)).all().get();
    return Optional.ofNullable(all.get(CLUSTER))
        .flatMap(config -> Optional.ofNullable(config.get(key)))
        .map(entry -> ForeignTopic.parse(entry.value()));
  }

  /** Of which topics it is said whose history they have, and not which topics they are. */
  public static List<String> unheld(Admin admin) throws ExecutionException, InterruptedException {
    return admin.describeConfigs(List.of(CLUSTER)).all().get().values().stream()
        .flatMap(config -> config.entries().stream())
        .filter(entry -> entry.name().startsWith(ForeignTopic.KEY_PREFIX))
        .filter(entry -> ForeignTopic.parse(entry.value()).heldBy().isEmpty())
        .map(entry -> entry.name().substring(ForeignTopic.KEY_PREFIX.length()))
        .sorted()
        .toList();
  }

  /** Nothing is said any more. */
  public void takeAway() throws ExecutionException, InterruptedException {
    alter("", AlterConfigOp.OpType.DELETE);
  }

  private void set(String value) throws ExecutionException, InterruptedException {
    alter(value, AlterConfigOp.OpType.SET);
  }

  private void alter(String value, AlterConfigOp.OpType op)
      throws ExecutionException, InterruptedException {
    AlterConfigOp change = new AlterConfigOp(new ConfigEntry(key, value), op);
    admin.incrementalAlterConfigs(Map.of(CLUSTER, List.of(change))).all().get();
  }
}
