package io.strandline.broker.request.meta;

import io.strandline.broker.request.Reply;
import io.strandline.broker.request.Request;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.message.SaslAuthenticateResponseData;
import org.apache.kafka.common.message.SaslHandshakeResponseData;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.SaslAuthenticateRequest;
import org.apache.kafka.common.requests.SaslAuthenticateResponse;
import org.apache.kafka.common.requests.SaslHandshakeRequest;
import org.apache.kafka.common.requests.SaslHandshakeResponse;

/**
 * Log-ins where none is due: without SASL on the listener, or right after one. Those that are due
 * never come this far.
 */
public final class LateLogins {
  private LateLogins() {}

  public static CompletionStage<Reply> handshake(Request<SaslHandshakeRequest> request) {
    return CompletableFuture.completedFuture(
        Reply.of(
            new SaslHandshakeResponse(
                new SaslHandshakeResponseData().setErrorCode(Errors.ILLEGAL_SASL_STATE.code()))));
  }

  public static CompletionStage<Reply> authenticate(Request<SaslAuthenticateRequest> request) {
    return CompletableFuture.completedFuture(
        Reply.of(
            new SaslAuthenticateResponse(
                new SaslAuthenticateResponseData()
                    .setErrorCode(Errors.ILLEGAL_SASL_STATE.code())
                    .setErrorMessage(
                        "SaslAuthenticate request received after successful authentication"))));
  }
}
