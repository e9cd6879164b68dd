package io.strandline.tiering.store.s3;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tiering.store.Leftover;
import io.strandline.tiering.store.Leftover.After;
import io.strandline.tiering.store.Leftover.Kind;
import io.strandline.tiering.store.ObjectKey;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Versions of one key on both sides of a page's border. */
class VersionPagesTest {
  private static final int PAGE_KEYS = 3;

  private final ExecutorService threads = Executors.newFixedThreadPool(2);
  private final ScheduledExecutorService timer = Executors.newScheduledThreadPool(1);
  private HttpS3 server;
  private S3ObjectStore store;

  @BeforeEach
  void open() throws IOException {
    server = new HttpS3();
    S3Config config =
        new S3Config(
            8,
            Duration.ofSeconds(3),
            S3Config.Multipart.defaults(),
            PAGE_KEYS,
            Optional.of(new S3Config.Credentials("any", "any-secret", Optional.empty())));
    store =
        new S3ObjectStore(
            S3Location.parse(server.uri()), config, threads, timer, InstantSource.system());
  }

  @AfterEach
  void close() {
    store.close();
    server.close();
    threads.shutdown();
    timer.shutdownNow();
  }

  private static String item(String element, String key, String id, int second, boolean latest) {
    return "<%1$s><Key>p/%2$s</Key><VersionId>%3$s</VersionId><IsLatest>%5$s</IsLatest><LastModified>2026-01-01T00:00:%4$02d.000Z</LastModified></%1$s>"
        .formatted(element, key, id, second, latest);
  }

  private Leftover.Page page(After after, String markers, String... items) {
    byte[] body =
        ("<ListVersionsResult><IsTruncated>%s</IsTruncated>%s%s</ListVersionsResult>"
                .formatted(!markers.isEmpty(), markers, String.join("", items)))
            .getBytes(UTF_8);
    server.answer(
        new HttpS3.Answer(200, Map.of("Content-Type", "application/xml"), body, body.length));
    return store.leftovers("", Leftover.Of.VERSIONS, after).join();
  }

  private static Leftover leftover(Kind kind, String key, String id, int second) {
    return new Leftover(
        kind, ObjectKey.of(key), id, Instant.parse("2026-01-01T00:00:00Z").plusSeconds(second));
  }

  @Test
  void theNextPageGoesOnWithinTheKeyAndKnowsSinceWhenItsFirstIsOld() {
    Leftover.Page first =
        page(
            After.START,
            "<NextKeyMarker>p/head</NextKeyMarker><NextVersionIdMarker>v8</NextVersionIdMarker>",
            item("Version", "head", "v9", 50, true),
            item("Version", "head", "v8", 40, false));
    assertThat(first.leftovers()).containsExactly(leftover(Kind.VERSION, "head", "v8", 50));
    Leftover.Page second =
        page(
            first.next().orElseThrow(),
            "",
            item("Version", "head", "v7", 30, false),
            item("DeleteMarker", "late", "m", 20, true),
            item("Version", "late", "v1", 10, false));
    assertThat(second.leftovers())
        .containsExactly(
            leftover(Kind.VERSION, "head", "v7", 40),
            leftover(Kind.MARKER, "late", "m", 20),
            leftover(Kind.VERSION, "late", "v1", 20));
    assertThat(second.next()).isEmpty();
    List<String> queries = server.recorded().stream().map(request -> request.get("query")).toList();
    assertThat(queries.get(0)).contains("max-keys=" + PAGE_KEYS).doesNotContain("marker");
    assertThat(queries.get(1)).contains("key-marker=p/head", "version-id-marker=v8");
  }
}
