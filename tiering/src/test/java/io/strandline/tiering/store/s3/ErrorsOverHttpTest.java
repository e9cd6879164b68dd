package io.strandline.tiering.store.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.Payload;
import io.strandline.tiering.store.StoreException;
import io.strandline.tiering.store.s3.HttpS3.Answer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What each answer of a real HTTP connection means to each kind of call, through the SDK: the table
 * in the documentation, and what is no answer of S3's at all.
 */
class ErrorsOverHttpTest {
  private static final ObjectKey KEY = ObjectKey.of("a");
  private static final ExecutorService THREADS = Executors.newCachedThreadPool();
  private static final ScheduledExecutorService TIMER = Executors.newScheduledThreadPool(1);

  @SuppressWarnings("NullAway.Init")
  private static HttpS3 server;

  @SuppressWarnings("NullAway.Init")
  private static S3ObjectStore store;

  @BeforeAll
  static void start() throws IOException {
    server = new HttpS3();
    store = open("");
  }

  private static S3ObjectStore open(String options) {
    S3Config config =
        new S3Config(
            8,
            Duration.ofSeconds(3),
            new S3Config.Multipart(1_000, 600, 2),
            1000,
            Optional.of(new S3Config.Credentials("any", "any-secret", Optional.empty())));
    return new S3ObjectStore(
        S3Location.parse(server.uri() + options), config, THREADS, TIMER, InstantSource.system());
  }

  @AfterAll
  static void stop() throws InterruptedException {
    store.close();
    server.close();
    THREADS.shutdown();
    TIMER.shutdownNow();
    boolean unused = THREADS.awaitTermination(1, TimeUnit.MINUTES);
  }

  // HEAD's answers have no body, so that no code is known of them.
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      useHeadersInDisplayName = true,
      textBlock =
          """
          answer                            | get          | put       | create    | replace   | list      | delete    | head
          404 NoSuchKey                     | not found    | away      | refused   | condition | refused   | refused   | absent
          404 NoSuchBucket                  | refused      | refused   | refused   | refused   | refused   | refused   | absent
          404 page                          | away         | away      | refused   | condition | refused   | refused   | absent
          412 PreconditionFailed            | condition    | condition | condition | condition | condition | condition | condition
          409 ConditionalRequestConflict    | away         | away      | away      | away      | away      | away      | away
          409 OperationAborted              | away         | away      | away      | away      | away      | away      | away
          416 InvalidRange                  | out of range | out of range | out of range | out of range | out of range | out of range | out of range
          503 SlowDown                      | throttled    | throttled | throttled | throttled | throttled | throttled | away
          503 ServiceUnavailable            | throttled    | throttled | throttled | throttled | throttled | throttled | away
          503 page                          | away         | away      | away      | away      | away      | away      | away
          429 TooManyRequests               | throttled    | throttled | throttled | throttled | throttled | throttled | throttled
          500 InternalError                 | away         | away      | away      | away      | away      | away      | away
          500 page                          | away         | away      | away      | away      | away      | away      | away
          502 page                          | away         | away      | away      | away      | away      | away      | away
          504 page                          | away         | away      | away      | away      | away      | away      | away
          507 QuotaExceeded                 | full         | full      | full      | full      | full      | full      | full
          400 RequestTimeout                | late         | late      | late      | late      | late      | late      | refused
          400 BadDigest                     | away         | away      | away      | away      | away      | away      | refused
          400 IncompleteBody                | away         | away      | away      | away      | away      | away      | refused
          400 ExpiredToken                  | expired      | expired   | expired   | expired   | expired   | expired   | refused
          403 RequestTimeTooSkewed          | clock        | clock     | clock     | clock     | clock     | clock     | refused
          403 AccessDenied                  | refused      | refused   | refused   | refused   | refused   | refused   | refused
          403 InvalidAccessKeyId            | refused      | refused   | refused   | refused   | refused   | refused   | refused
          403 SignatureDoesNotMatch         | refused      | refused   | refused   | refused   | refused   | refused   | refused
          403 page                          | refused      | refused   | refused   | refused   | refused   | refused   | refused
          400 InvalidRequest                | refused      | refused   | refused   | refused   | refused   | refused   | refused
          301 PermanentRedirect             | refused      | refused   | refused   | refused   | refused   | refused   | refused
          501 NotImplemented                | refused      | refused   | refused   | refused   | refused   | refused   | refused
          200 InternalError                 | away         | away      | away      | away      | away      | -         | away
          200 SlowDown                      | away         | away      | away      | away      | throttled | -         | away
          200 ServiceUnavailable            | away         | away      | away      | away      | throttled | -         | away
          200 AccessDenied                  | away         | away      | away      | away      | away      | -         | away
          200 page                          | away         | away      | away      | away      | away      | -         | away
          200 cut                           | away         | -         | -         | -         | -         | -         | -
          200 short                         | out of range | -         | -         | -         | -         | -         | -
          200 long                          | refused      | -         | -         | -         | -         | -         | -
          hang up                           | away         | away      | away      | away      | away      | away      | away
          """)
  void anAnswerMeans(
      String answer,
      String get,
      String put,
      String create,
      String replace,
      String list,
      String delete,
      String head) {
    server.answer(parsed(answer));
    check("get", get, () -> store.get(KEY, 0, 100));
    check("put", put, () -> store.put(KEY, bytes()));
    check("create", create, () -> store.putIfAbsent(KEY, bytes()));
    check("replace", replace, () -> store.replace(KEY, bytes(), "v1"));
    check("list", list, () -> store.list("", "", 10));
    check("delete", delete, () -> store.delete(List.of(KEY)));
    check("head", head, () -> store.head(KEY));
  }

  /** S3 keeps whoever waits for these at it, and tells in the end that it did not do it. */
  @ParameterizedTest
  @CsvSource({
    "InternalError, away",
    "SlowDown, throttled",
    "ServiceUnavailable, throttled",
    "AccessDenied, away"
  })
  void anErrorInTheBodyOfAGoodAnswerMeans(String code, String meaning) {
    Answer error = Answer.error(200, code);
    server.answer(error);
    check("delete many", meaning, () -> store.delete(List.of(KEY, ObjectKey.of("b"))));
    server.answers((method, query) -> ofParts(method, query, error));
    Payload large = Payload.of(ByteBuffer.allocate(2_000));
    check("complete", meaning, () -> store.put(KEY, large));
  }

  /** All goes well but for the end. */
  private static Answer ofParts(String method, String query, Answer completed) {
    if (method.equals("POST") && query.startsWith("uploads")) {
      return Answer.xml(
          200,
          "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>");
    }
    return switch (method) {
      case "PUT" -> new Answer(200, Map.of("ETag", "\"part\""), new byte[0], 0);
      case "DELETE" -> new Answer(204, Map.of(), new byte[0], 0);
      default -> completed;
    };
  }

  @Test
  void whoeverReadsTheMessageLearnsTheCode() {
    server.answer(Answer.error(403, "SignatureDoesNotMatch"));
    assertThatThrownBy(() -> store.get(KEY, 100).join())
        .hasMessageContaining("403 SignatureDoesNotMatch");
    assertThatThrownBy(() -> store.put(KEY, bytes()).join())
        .hasMessageContaining("403 SignatureDoesNotMatch");
  }

  /** The headers that S3 is told to encrypt by, on everything that makes an object. */
  @ParameterizedTest
  @CsvSource({
    "'',,",
    "&sse=AES256,AES256,",
    "&sse=aws:kms,aws:kms,",
    "&kmsKey=k,aws:kms,k",
    "&sse=aws:kms&kmsKey=k,aws:kms,k"
  })
  void everyWriteSaysHowItIsEncrypted(
      String options, @Nullable String sse, @Nullable String kmsKey) {
    server.answer(null);
    int before = server.recorded().size();
    try (S3ObjectStore encrypting = open(options)) {
      ObjectKey key = ObjectKey.of("sse/" + before);
      String etag = encrypting.putIfAbsent(key, bytes()).join().etag();
      String next = encrypting.replace(key, bytes(), etag).join().etag();
      assertThat(next).isNotEqualTo(etag);
      encrypting.put(key, bytes()).join();
      // Ends at the first answer, for the server knows nothing of parts.
      assertThat(outcome(() -> encrypting.put(key, Payload.of(ByteBuffer.allocate(2_000)))))
          .isEqualTo("away");
      assertThat(encrypting.get(key, 100).join()).isEqualTo(ByteBuffer.wrap(new byte[77]));
    }
    List<Map<String, String>> requests =
        server.recorded().subList(before, server.recorded().size());
    assertThat(requests.subList(0, 4))
        .allSatisfy(
            headers -> {
              assertThat(headers.get("x-amz-server-side-encryption")).isEqualTo(sse);
              assertThat(headers.get("x-amz-server-side-encryption-aws-kms-key-id"))
                  .isEqualTo(kmsKey);
            })
        .extracting(headers -> headers.get("method"))
        .containsExactly("PUT", "PUT", "PUT", "POST");
    assertThat(requests.get(requests.size() - 1))
        .containsEntry("method", "GET")
        .doesNotContainKey("x-amz-server-side-encryption");
  }

  private interface Call {
    CompletableFuture<?> begin();
  }

  private static void check(String what, String expected, Call call) {
    if (!expected.equals("-")) {
      assertThat(outcome(call)).as(what).isEqualTo(expected);
    }
  }

  private static String outcome(Call call) {
    try {
      Object came = call.begin().get(30, TimeUnit.SECONDS);
      return came instanceof Optional<?> maybe && maybe.isEmpty() ? "absent" : "fine: " + came;
    } catch (Exception thrown) {
      StoreException known = StoreException.of(thrown);
      if (known instanceof StoreException.NotFound) {
        return "not found";
      } else if (known instanceof StoreException.PreconditionFailed) {
        return "condition";
      } else if (known instanceof StoreException.OutOfRange) {
        return "out of range";
      }
      return StoreException.Unavailable.Why.of(known).label();
    }
  }

  private static Answer parsed(String answer) {
    if (answer.equals("hang up")) {
      return Answer.hangUp();
    }
    String[] words = answer.split(" ");
    int status = Integer.parseInt(words[0]);
    return switch (words[1]) {
      case "page" -> Answer.page(status);
      case "cut" -> Answer.object(status, 100, 50);
      case "short" -> Answer.object(status, 50, 50);
      case "long" -> Answer.object(status, 5_000, 5_000);
      default -> Answer.error(status, words[1]);
    };
  }

  private static Payload bytes() {
    return Payload.of(ByteBuffer.wrap(new byte[77]));
  }
}
