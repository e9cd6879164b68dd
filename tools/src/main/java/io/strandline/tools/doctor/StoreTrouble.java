package io.strandline.tools.doctor;

import io.strandline.tiering.store.StoreException;
import io.strandline.tiering.store.StoreException.Unavailable;
import java.util.Map;

/** What an answer of the store that is no good means, and what to do about it. */
final class StoreTrouble {
  /** By words of what a store or the SDK says. */
  private static final Map<String, String> ADVICE =
      Map.of(
          "NoSuchBucket",
          "There is no such bucket: make it, or put its name right in strandline.object.store.",
          "InvalidAccessKeyId",
          "The store does not know this access key: put the credentials right. They are found as"
              + " every AWS SDK finds them (environment, profile, instance role).",
          "SignatureDoesNotMatch",
          "The secret does not fit the access key: put the credentials right. They are found as every"
              + " AWS SDK finds them (environment, profile, instance role).",
          "Unable to load credentials",
          "No credentials were found: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or a"
              + " role of the instance. The node's user must have them, not only you.",
          "AuthorizationHeaderMalformed",
          "The region is wrong: add region=… to strandline.object.store.",
          "PermanentRedirect",
          "The bucket is in another region: add region=… to strandline.object.store.",
          "kms:",
          "The key of the bucket's encryption is refused: allow kms:GenerateDataKey and kms:Decrypt"
              + " on it.",
          "NotImplemented",
          "The store does not know this request: docs/object-stores.md says which stores do.");

  private StoreTrouble() {}

  /**
   * @param permission of S3 that the call needs
   */
  static Finding of(String check, String permission, StoreException failure) {
    String said = String.valueOf(failure.getMessage());
    for (Map.Entry<String, String> known : ADVICE.entrySet()) {
      if (said.contains(known.getKey())) {
        return Finding.fail(check, said, known.getValue());
      }
    }
    if (failure instanceof StoreException.Refused) {
      return Finding.fail(
          check,
          "refused, " + permission + " is missing: " + said,
          "Allow "
              + permission
              + " to the node's credentials, and look for a policy that denies it.");
    }
    return Finding.fail(check, said, unavailable(Unavailable.Why.of(failure)));
  }

  private static String unavailable(Unavailable.Why why) {
    return switch (why) {
      case CLOCK -> "The store refuses requests of our time: set the clock (chronyc tracking).";
      case EXPIRED -> "The credentials have run out: renew them.";
      case FULL -> "The store is full: make room there.";
      case THROTTLED -> "The store asks for fewer requests: is something else at it? Try again.";
      default ->
          "The store does not answer: is the endpoint right, and is there a way there (DNS, route,"
              + " firewall, proxy)?";
    };
  }

  /** Whether asking for more is no use. */
  static boolean away(StoreException failure) {
    return failure instanceof Unavailable;
  }
}
