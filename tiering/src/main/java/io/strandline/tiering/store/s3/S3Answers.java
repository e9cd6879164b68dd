package io.strandline.tiering.store.s3;

import io.strandline.tiering.store.ObjectInfo;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.StoreException;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.SdkResponse;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Response;

/**
 * Reads what S3 answers when it does what was asked. Something between us and the store may answer
 * 200 too, with a page of its own: whatever does not look like S3 is no answer, so that nobody
 * takes a page for an object, or for the word that one was stored.
 */
final class S3Answers {
  private S3Answers() {}

  /**
   * The ETag without quotes; every object has one.
   *
   * @throws StoreException.Unavailable if there is none
   */
  static String etag(ObjectKey key, @Nullable String given) {
    String bare = bare(given);
    if (bare.isEmpty()) {
      throw strange("an answer about " + key + " without an ETag");
    }
    return bare;
  }

  static String bare(@Nullable String etag) {
    return etag == null ? "" : etag.replace("\"", "");
  }

  /**
   * @throws StoreException.Unavailable if it is no listing at all: one without objects says at
   *     least what it is about
   */
  static ListObjectsV2Response listing(String prefix, ListObjectsV2Response answer) {
    if (answer.name() == null && answer.keyCount() == null && answer.contents().isEmpty()) {
      throw strange("the listing of " + prefix + " is none");
    }
    return answer;
  }

  /** Of an object that was just written; the store's clock says when, or ours if it does not. */
  static ObjectInfo written(
      ObjectKey key,
      long lengthBytes,
      @Nullable String etag,
      SdkResponse answer,
      InstantSource clock) {
    return new ObjectInfo(key, lengthBytes, etag(key, etag), date(answer, clock));
  }

  private static Instant date(SdkResponse answer, InstantSource clock) {
    return date(answer.sdkHttpResponse().firstMatchingHeader("Date")).orElseGet(clock::instant);
  }

  /** The store's clock, if it says a time at all. */
  static Optional<Instant> date(Optional<String> field) {
    try {
      return field
          .map(text -> ZonedDateTime.parse(text, DateTimeFormatter.RFC_1123_DATE_TIME))
          .map(ZonedDateTime::toInstant);
    } catch (DateTimeParseException e) {
      return Optional.empty();
    }
  }

  static StoreException.Unavailable strange(String what) {
    return new StoreException.Unavailable(what + ": does S3 answer there?", null);
  }
}
