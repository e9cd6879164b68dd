package io.strandline.tests.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.CreateDelegationTokenOptions;
import org.apache.kafka.clients.admin.DescribeDelegationTokenOptions;
import org.apache.kafka.clients.admin.ExpireDelegationTokenOptions;
import org.apache.kafka.clients.admin.RenewDelegationTokenOptions;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.DelegationTokenAuthorizationException;
import org.apache.kafka.common.errors.DelegationTokenDisabledException;
import org.apache.kafka.common.errors.DelegationTokenNotFoundException;
import org.apache.kafka.common.errors.DelegationTokenOwnerMismatchException;
import org.apache.kafka.common.errors.InvalidPrincipalTypeException;
import org.apache.kafka.common.errors.SaslAuthenticationException;
import org.apache.kafka.common.errors.UnsupportedByAuthenticationException;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.security.auth.KafkaPrincipal;
import org.apache.kafka.common.security.token.delegation.DelegationToken;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Delegation tokens (KIP-48, KIP-373): who may have, see, renew and end them, and log in by one.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class DelegationTokenTest {
  private static final String SECRET = "hush-secret-33ff";
  private static final KafkaPrincipal ALICE = user("alice");

  private final Overheard log = new Overheard();
  private Path dir;
  private Secured secured;
  private Map<String, String> settings;
  private SecureNode node;
  private Admin admin;
  private Admin alice;

  private static KafkaPrincipal user(String name) {
    return new KafkaPrincipal(KafkaPrincipal.USER_TYPE, name);
  }

  @BeforeAll
  void start(@TempDir Path temporary) throws Exception {
    dir = temporary;
    log.begin();
    secured = new Secured(dir);
    settings = new HashMap<>(secured.settings());
    settings.put(
        "authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer");
    settings.put("super.users", "User:node;User:admin");
    settings.put("delegation.token.secret.key", SECRET);
    settings.put("delegation.token.expiry.check.interval.ms", "200");
    open();
    SecureNode.create(admin, "letters");
    grant("User:alice", ResourceType.TOPIC, "letters", AclOperation.WRITE);
  }

  private void open() {
    node = new SecureNode(dir, settings);
    admin = node.admin("PLAIN", Secured.admin());
    alice = node.admin("PLAIN", Secured.plain("alice", Secured.ALICE_PASSWORD));
  }

  @AfterAll
  void stop() {
    close();
    log.end();
  }

  private void close() {
    admin.close();
    alice.close();
    node.close();
  }

  private void grant(String whom, ResourceType type, String name, AclOperation operation) {
    SecureNode.get(
        admin
            .createAcls(
                List.of(
                    new AclBinding(
                        new ResourcePattern(type, name, PatternType.LITERAL),
                        new AccessControlEntry(whom, "*", operation, AclPermissionType.ALLOW))))
            .all());
  }

  private static CreateDelegationTokenOptions wanted() {
    return new CreateDelegationTokenOptions();
  }

  private static DelegationToken create(Admin by, CreateDelegationTokenOptions options) {
    return SecureNode.get(by.createDelegationToken(options).delegationToken());
  }

  private static List<DelegationToken> seen(Admin by) {
    return SecureNode.get(by.describeDelegationToken().delegationTokens());
  }

  private void write(Map<String, String> client) {
    try (KafkaProducer<String, String> producer = node.producer("SCRAM", client)) {
      SecureNode.send(producer, "letters", "dear");
    }
  }

  @Test
  void whoHasATokenIsItsOwner() {
    DelegationToken token = create(alice, wanted());
    assertThat(token.tokenInfo().owner()).isEqualTo(ALICE);
    SecureNode.await("the token to be seen", () -> seen(alice).contains(token));
    for (String mechanism : List.of("SCRAM-SHA-256", "SCRAM-SHA-512")) {
      SecureNode.await("the token to be known", () -> mayWrite(mechanism, token));
    }
    Map<String, String> password =
        secured.scram("SCRAM-SHA-512", token.tokenInfo().tokenId(), token.hmacAsBase64String());
    assertThatThrownBy(() -> write(password)).isInstanceOf(SaslAuthenticationException.class);
    assertThat(token.toString() + token.tokenInfo()).doesNotContain(token.hmacAsBase64String());
  }

  /** Brokers hear of a token a moment after it was made. */
  private boolean mayWrite(String mechanism, DelegationToken token) {
    try {
      write(secured.delegated(mechanism, token));
      return true;
    } catch (SaslAuthenticationException unknown) {
      return false;
    }
  }

  @Test
  void aTokenBegetsNoToken() {
    DelegationToken token = create(alice, wanted());
    SecureNode.await("the token to be known", () -> mayWrite("SCRAM-SHA-512", token));
    try (Admin in = node.admin("SCRAM", secured.delegated("SCRAM-SHA-512", token))) {
      notAllowed(in, token);
    }
  }

  @Test
  void whoCouldBeAnybodyHasNone() {
    DelegationToken token = create(alice, wanted());
    try (Admin anybody = node.admin("TLS", secured.tls())) {
      notAllowed(anybody, token);
    }
    try (Admin certified = node.admin("MTLS", secured.mutual())) {
      assertThat(create(certified, wanted()).tokenInfo().ownerAsString()).startsWith("User:");
    }
  }

  private static void notAllowed(Admin by, DelegationToken token) {
    byte[] hmac = token.hmac();
    for (var asked :
        List.of(
            by.createDelegationToken().delegationToken(),
            by.describeDelegationToken().delegationTokens(),
            by.renewDelegationToken(hmac).expiryTimestamp(),
            by.expireDelegationToken(hmac).expiryTimestamp())) {
      assertThatThrownBy(() -> SecureNode.get(asked))
          .isInstanceOf(UnsupportedByAuthenticationException.class);
    }
  }

  @Test
  void othersSeeWhatTheyWereGranted() {
    DelegationToken token = create(alice, wanted());
    DelegationToken second = create(alice, wanted());
    DelegationToken another = create(admin, wanted().owner(user("frank")));
    assertThat(another.tokenInfo().tokenRequester()).isEqualTo(user("admin"));
    assertThat(another.tokenInfo().owner()).isEqualTo(user("frank"));
    try (Admin dave = node.admin("DEV", Secured.unsigned("dave", 3600))) {
      assertThat(seen(dave)).isEmpty();
      grant(
          "User:dave",
          ResourceType.DELEGATION_TOKEN,
          token.tokenInfo().tokenId(),
          AclOperation.DESCRIBE);
      SecureNode.await("the right to one", () -> seen(dave).contains(token));
      assertThat(seen(dave)).doesNotContain(second, another);
      grant("User:dave", ResourceType.USER, "User:alice", AclOperation.DESCRIBE_TOKENS);
      SecureNode.await("the right to all of hers", () -> seen(dave).contains(second));
      assertThat(seen(dave)).doesNotContain(another);
      var ofFrank = new DescribeDelegationTokenOptions().owners(List.of(user("frank")));
      assertThat(SecureNode.get(dave.describeDelegationToken(ofFrank).delegationTokens()))
          .isEmpty();
      SecureNode.await(
          "a super user to see it",
          () ->
              SecureNode.get(admin.describeDelegationToken(ofFrank).delegationTokens())
                  .equals(List.of(another)));
    }
  }

  @Test
  void forOthersOnlyWithTheRight() {
    try (Admin gina = node.admin("DEV", Secured.unsigned("gina", 3600))) {
      assertThatThrownBy(() -> create(gina, wanted().owner(ALICE)))
          .isInstanceOf(DelegationTokenAuthorizationException.class);
      grant("User:gina", ResourceType.USER, "User:alice", AclOperation.CREATE_TOKENS);
      SecureNode.await("the right to make hers", () -> makes(gina));
      var groups = wanted().renewers(List.of(new KafkaPrincipal("Group", "g")));
      assertThatThrownBy(() -> create(gina, groups))
          .isInstanceOf(InvalidPrincipalTypeException.class);
    }
  }

  private static boolean makes(Admin by) {
    try {
      assertThat(create(by, wanted().owner(ALICE)).tokenInfo().owner()).isEqualTo(ALICE);
      return true;
    } catch (DelegationTokenAuthorizationException notYet) {
      return false;
    }
  }

  @Test
  void ownersAndRenewersLengthenAndEndIt() {
    var options = wanted().renewers(List.of(user("hank"))).maxLifetimeMs(3_600_000);
    DelegationToken token = create(alice, options);
    byte[] hmac = token.hmac();
    var minute = new RenewDelegationTokenOptions().renewTimePeriodMs(60_000);
    try (Admin hank = node.admin("DEV", Secured.unsigned("hank", 3600));
        Admin iris = node.admin("DEV", Secured.unsigned("iris", 3600))) {
      SecureNode.await("the token to be seen", () -> seen(hank).contains(token));
      assertThatThrownBy(
              () -> SecureNode.get(iris.renewDelegationToken(hmac, minute).expiryTimestamp()))
          .isInstanceOf(DelegationTokenOwnerMismatchException.class);
      long until = SecureNode.get(hank.renewDelegationToken(hmac, minute).expiryTimestamp());
      assertThat(until).isLessThan(token.tokenInfo().maxTimestamp());
      SecureNode.await(
          "the new time to be seen",
          () -> seen(hank).stream().anyMatch(t -> t.tokenInfo().expiryTimestamp() == until));
      SecureNode.get(alice.expireDelegationToken(hmac).expiryTimestamp());
      SecureNode.await("it to be gone", () -> seen(hank).isEmpty());
      assertThatThrownBy(() -> SecureNode.get(hank.renewDelegationToken(hmac).expiryTimestamp()))
          .isInstanceOf(DelegationTokenNotFoundException.class);
      assertThatThrownBy(() -> write(secured.delegated("SCRAM-SHA-512", token)))
          .isInstanceOf(SaslAuthenticationException.class);
    }
  }

  /** Who is in by a token that runs out is cut off, and can not come back. */
  @Test
  void aSessionEndsWithItsToken() {
    DelegationToken token = create(alice, wanted());
    SecureNode.await("the token to be known", () -> mayWrite("SCRAM-SHA-512", token));
    var soon = new ExpireDelegationTokenOptions().expiryTimePeriodMs(2_000);
    long until = SecureNode.get(alice.expireDelegationToken(token.hmac(), soon).expiryTimestamp());
    SecureNode.await(
        "the new time to be known",
        () -> seen(alice).stream().anyMatch(t -> t.tokenInfo().expiryTimestamp() == until));
    try (Admin in = node.admin("SCRAM", secured.delegated("SCRAM-SHA-512", token))) {
      SecureNode.get(in.describeCluster().nodes());
      assertThatThrownBy(
              () -> {
                while (true) {
                  SecureNode.get(in.describeCluster().nodes());
                }
              })
          .isInstanceOf(AuthenticationException.class);
    }
    SecureNode.await("the token to be swept away", () -> !seen(alice).contains(token));
  }

  /** The last: tokens outlive the node, and a time without the secret. */
  @Test
  @Order(Integer.MAX_VALUE)
  void tokensOutliveTheNode() {
    DelegationToken token = create(alice, wanted());
    close();
    settings.remove("delegation.token.secret.key");
    open();
    assertThatThrownBy(() -> seen(alice)).isInstanceOf(DelegationTokenDisabledException.class);
    assertThatThrownBy(() -> create(alice, wanted()))
        .isInstanceOf(DelegationTokenDisabledException.class);
    assertThatThrownBy(() -> write(secured.delegated("SCRAM-SHA-256", token)))
        .isInstanceOf(SaslAuthenticationException.class);
    close();
    settings.put("delegation.token.secret.key", SECRET);
    open();
    assertThat(seen(alice)).contains(token);
    write(secured.delegated("SCRAM-SHA-256", token));
    assertThat(log.lines).noneMatch(line -> line.contains("hush-"));
    assertThat(log.lines).noneMatch(line -> line.contains(token.hmacAsBase64String()));
  }
}
