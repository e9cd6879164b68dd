package io.strandline.tiering.store.s3;

import io.strandline.tiering.store.StoreCall.Operation;
import io.strandline.tiering.store.StoreException;
import io.strandline.tiering.store.StoreException.Unavailable.Why;
import java.util.Map;
import java.util.concurrent.CompletionException;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.SdkClientException;

/**
 * What S3's answers mean to a user of the store.
 *
 * <p>409 is {@link StoreException.Unavailable}: another conditional write of that key was under
 * way, nothing is decided, and AWS says to try again. A loser that a store answers with 500 is so
 * too; the next try tells it with 412.
 */
final class S3Errors {
  /** Errors that pass by themselves, whatever the status says. */
  private static final Map<String, Why> PASSING =
      Map.of(
          "RequestTimeout", Why.LATE,
          "RequestTimeTooSkewed", Why.CLOCK,
          "ExpiredToken", Why.EXPIRED,
          "TokenRefreshRequired", Why.EXPIRED,
          "SlowDown", Why.THROTTLED,
          "Throttling", Why.THROTTLED,
          "ServiceUnavailable", Why.THROTTLED,
          "InternalError", Why.AWAY,
          "IncompleteBody", Why.AWAY,
          "BadDigest", Why.AWAY);

  private S3Errors() {}

  static StoreException explain(Operation operation, String subject, Throwable thrown) {
    Throwable bare = thrown;
    while (bare instanceof CompletionException && bare.getCause() != null) {
      bare = bare.getCause();
    }
    for (Throwable cause = bare; cause != null; cause = cause.getCause()) {
      if (cause instanceof StoreException ours) {
        return ours; // What our own subscriber said, wrapped by the SDK.
      }
    }
    String what = operation.label() + " " + subject + ": ";
    if (bare instanceof AwsServiceException answer) {
      return explainAnswer(operation, what, answer);
    }
    if (bare instanceof SdkClientException && isCredentials(bare)) {
      return new StoreException.Refused(what + bare.getMessage(), bare);
    }
    return new StoreException.Unavailable(what + bare, bare);
  }

  private static StoreException explainAnswer(
      Operation operation, String what, AwsServiceException answer) {
    String code = code(answer);
    // The code says what is wrong: a wrong secret, no such bucket. Servers may send no words.
    String message = what + answer.statusCode() + " " + code + " " + answer.getMessage();
    if (answer.isThrottlingException() || PASSING.containsKey(code)) {
      Why why = PASSING.getOrDefault(code, Why.THROTTLED);
      return new StoreException.Unavailable(message, answer, why);
    }
    return switch (answer.statusCode()) {
      case 404 -> absent(operation, code, message, answer);
      case 412 -> new StoreException.PreconditionFailed(message);
      case 416 -> new StoreException.OutOfRange(message);
      case 408, 409, 425 -> new StoreException.Unavailable(message, answer);
      case 429 -> new StoreException.Unavailable(message, answer, Why.THROTTLED);
      // Without a code it is not the store that says so, but what stands before it.
      case 503 ->
          new StoreException.Unavailable(
              message, answer, code.isEmpty() ? Why.AWAY : Why.THROTTLED);
      case 507 -> new StoreException.Unavailable(message, answer, Why.FULL);
      case 501, 505 -> new StoreException.Refused(message, answer);
      // Of a long request S3 tells 200 before it knows, and in the body that it failed after all.
      default ->
          answer.statusCode() >= 500 || answer.statusCode() < 300
              ? new StoreException.Unavailable(message, answer)
              : new StoreException.Refused(message, answer);
    };
  }

  private static StoreException absent(
      Operation operation, String code, String message, AwsServiceException answer) {
    if (code.equals("NoSuchBucket")) {
      return new StoreException.Refused(message, answer);
    }
    return switch (operation) {
      case HEAD -> new StoreException.NotFound(message); // It has no body to tell the code.
      case GET ->
          code.isEmpty()
              ? new StoreException.Unavailable(message, answer) // Not the store that says so.
              : new StoreException.NotFound(message);
      case REPLACE -> new StoreException.PreconditionFailed(message);
      case PUT -> new StoreException.Unavailable(message, answer); // A lost multipart upload.
      default -> new StoreException.Refused(message, answer);
    };
  }

  private static String code(AwsServiceException answer) {
    var details = answer.awsErrorDetails();
    return details == null || details.errorCode() == null ? "" : details.errorCode();
  }

  private static boolean isCredentials(Throwable thrown) {
    String message = thrown.getMessage();
    return message != null && message.contains("Unable to load credentials");
  }

  /** Whether an upload in parts is gone already. */
  static boolean isNoSuchUpload(Throwable thrown) {
    Throwable bare = thrown instanceof CompletionException ? thrown.getCause() : thrown;
    return bare instanceof AwsServiceException answer && code(answer).equals("NoSuchUpload");
  }
}
