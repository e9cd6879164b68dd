package io.strandline.broker.request.admin;

import static org.apache.kafka.security.DelegationTokenManager.ERROR_TIMESTAMP;

import io.strandline.broker.guard.Guard;
import io.strandline.broker.guard.identity.DelegationTokens;
import io.strandline.broker.request.ApiTable;
import io.strandline.broker.request.Handler;
import io.strandline.broker.request.Reply;
import io.strandline.broker.request.Request;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.message.CreateDelegationTokenRequestData;
import org.apache.kafka.common.message.ExpireDelegationTokenResponseData;
import org.apache.kafka.common.message.RenewDelegationTokenResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.CreateDelegationTokenRequest;
import org.apache.kafka.common.requests.CreateDelegationTokenResponse;
import org.apache.kafka.common.requests.DescribeDelegationTokenRequest;
import org.apache.kafka.common.requests.DescribeDelegationTokenResponse;
import org.apache.kafka.common.requests.ExpireDelegationTokenResponse;
import org.apache.kafka.common.requests.RenewDelegationTokenResponse;
import org.apache.kafka.common.requests.RequestContext;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.security.auth.KafkaPrincipal;
import org.apache.kafka.common.security.auth.SecurityProtocol;
import org.apache.kafka.common.security.token.delegation.DelegationToken;
import org.apache.kafka.security.DelegationTokenManager;

/**
 * Create-, Renew-, Expire- and DescribeDelegationToken (KIP-48, KIP-373). Tokens are for those who
 * showed who they are, and by something else than a token; the controller makes, renews and ends
 * them, and asks for the rights too.
 */
public final class TokenHandlers {
  private final ForwardHandler forward;
  private final DelegationTokens tokens;
  private final Guard guard;

  public TokenHandlers(ForwardHandler forward, DelegationTokens tokens, Guard guard) {
    this.forward = forward;
    this.tokens = tokens;
    this.guard = guard;
  }

  public ApiTable.Builder addTo(ApiTable.Builder table) {
    return table
        .add(ApiKeys.CREATE_DELEGATION_TOKEN, this::create)
        .add(ApiKeys.RENEW_DELEGATION_TOKEN, this::renew)
        .add(ApiKeys.EXPIRE_DELEGATION_TOKEN, this::expire)
        .add(
            ApiKeys.DESCRIBE_DELEGATION_TOKEN,
            (Handler<DescribeDelegationTokenRequest>) this::describe);
  }

  /** Whether the asker may deal in tokens at all: nobody does who could be anybody. */
  private static boolean mayAsk(RequestContext who) {
    boolean unknown =
        who.securityProtocol() == SecurityProtocol.PLAINTEXT
            || (who.securityProtocol() == SecurityProtocol.SSL
                && who.principal().equals(KafkaPrincipal.ANONYMOUS));
    return !unknown && !who.principal().tokenAuthenticated();
  }

  private CompletionStage<Reply> create(Request<AbstractRequest> request) {
    RequestContext who = request.context();
    var asked = ((CreateDelegationTokenRequest) request.body()).data();
    KafkaPrincipal owner = owner(who, asked);
    Errors refused = refusal(who, owner, asked);
    return refused == Errors.NONE
        ? forward.handle(request)
        : reply(
            CreateDelegationTokenResponse.prepareResponse(
                request.version(), 0, refused, owner, who.principal()));
  }

  private static KafkaPrincipal owner(RequestContext who, CreateDelegationTokenRequestData asked) {
    String name = asked.ownerPrincipalName();
    if (name == null || name.isEmpty()) {
      return who.principal();
    }
    String type = asked.ownerPrincipalType();
    if (type == null) {
      throw new InvalidRequestException("an owner's name without its type");
    }
    return new KafkaPrincipal(type, name);
  }

  private Errors refusal(
      RequestContext who, KafkaPrincipal owner, CreateDelegationTokenRequestData asked) {
    if (!mayAsk(who)) {
      return Errors.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED;
    }
    boolean own = owner.equals(who.principal());
    if (!own
        && !guard.allows(who, AclOperation.CREATE_TOKENS, ResourceType.USER, owner.toString())) {
      return Errors.DELEGATION_TOKEN_AUTHORIZATION_FAILED;
    }
    boolean users =
        asked.renewers().stream()
            .allMatch(renewer -> renewer.principalType().equals(KafkaPrincipal.USER_TYPE));
    return users ? Errors.NONE : Errors.INVALID_PRINCIPAL_TYPE;
  }

  private CompletionStage<Reply> renew(Request<AbstractRequest> request) {
    return mayAsk(request.context())
        ? forward.handle(request)
        : reply(
            new RenewDelegationTokenResponse(
                new RenewDelegationTokenResponseData()
                    .setErrorCode(Errors.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED.code())
                    .setExpiryTimestampMs(ERROR_TIMESTAMP)));
  }

  private CompletionStage<Reply> expire(Request<AbstractRequest> request) {
    return mayAsk(request.context())
        ? forward.handle(request)
        : reply(
            new ExpireDelegationTokenResponse(
                new ExpireDelegationTokenResponseData()
                    .setErrorCode(Errors.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED.code())
                    .setExpiryTimestampMs(ERROR_TIMESTAMP)));
  }

  private CompletionStage<Reply> describe(Request<DescribeDelegationTokenRequest> request) {
    RequestContext who = request.context();
    if (!mayAsk(who)) {
      return described(request, Errors.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED, List.of());
    }
    if (!tokens.enabled()) {
      return described(request, Errors.DELEGATION_TOKEN_AUTH_DISABLED, List.of());
    }
    if (request.body().ownersListEmpty()) {
      return described(request, Errors.NONE, List.of());
    }
    Optional<List<KafkaPrincipal>> owners =
        Optional.ofNullable(request.body().data().owners())
            .map(
                all ->
                    all.stream()
                        .map(o -> new KafkaPrincipal(o.principalType(), o.principalName()))
                        .toList());
    return described(
        request,
        Errors.NONE,
        tokens.find(
            token ->
                DelegationTokenManager.filterToken(
                    who.principal(),
                    owners,
                    token,
                    id ->
                        guard.allows(who, AclOperation.DESCRIBE, ResourceType.DELEGATION_TOKEN, id),
                    owner ->
                        guard.allows(
                            who,
                            AclOperation.DESCRIBE_TOKENS,
                            ResourceType.USER,
                            owner.toString()))));
  }

  private static CompletionStage<Reply> described(
      Request<?> request, Errors error, List<DelegationToken> found) {
    return reply(new DescribeDelegationTokenResponse(request.version(), 0, error, found));
  }

  private static CompletionStage<Reply> reply(AbstractResponse answer) {
    return CompletableFuture.completedFuture(Reply.of(answer));
  }
}
