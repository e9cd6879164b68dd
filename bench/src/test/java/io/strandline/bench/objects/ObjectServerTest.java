package io.strandline.bench.objects;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ObjectServerTest {
  private final HttpClient client = HttpClient.newHttpClient();

  @TempDir Path dir;
  private ObjectServer server;
  private String endpoint;

  @BeforeEach
  void start() throws IOException {
    server = ObjectServer.start(dir);
    endpoint = server.uri().replaceAll(".*endpoint=", "");
  }

  @AfterEach
  void stop() throws IOException {
    server.close();
  }

  private HttpResponse<String> send(String method, String path, String body, String... headers)
      throws IOException, InterruptedException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(endpoint + path))
            .method(method, BodyPublishers.ofString(body));
    if (headers.length > 0) {
      request.headers(headers);
    }
    return client.send(request.build(), BodyHandlers.ofString());
  }

  @Test
  void putsKeepTheirConditions() throws Exception {
    var first = send("PUT", "/bench/a/b", "first", "If-None-Match", "*");
    assertThat(first.statusCode()).isEqualTo(200);
    assertThat(send("PUT", "/bench/a/b", "again", "If-None-Match", "*").statusCode())
        .isEqualTo(412);
    String etag = first.headers().firstValue("ETag").orElseThrow();
    assertThat(send("PUT", "/bench/a/b", "second", "If-Match", etag).statusCode()).isEqualTo(200);
    assertThat(send("PUT", "/bench/a/b", "stale", "If-Match", etag).statusCode()).isEqualTo(412);
    assertThat(send("GET", "/bench/a/b", "").body()).isEqualTo("second");
  }

  @Test
  void rangesListsAndDeletesAreThoseOfS3() throws Exception {
    send("PUT", "/bench/t/1", "abcdef");
    send("PUT", "/bench/t/2", "x");
    send("PUT", "/bench/u/3", "y");
    var range = send("GET", "/bench/t/1", "", "Range", "bytes=2-9");
    assertThat(range.statusCode()).isEqualTo(206);
    assertThat(range.body()).isEqualTo("cdef");
    assertThat(send("GET", "/bench/t/1", "", "Range", "bytes=6-9").statusCode()).isEqualTo(416);
    assertThat(send("GET", "/bench/none", "").statusCode()).isEqualTo(404);
    assertThat(send("GET", "/bench?list-type=2&prefix=t%2F&max-keys=1", "").body())
        .contains("<Key>t/1</Key>", "<IsTruncated>true<")
        .doesNotContain("t/2");
    assertThat(send("GET", "/bench?list-type=2&prefix=t%2F&start-after=t%2F1", "").body())
        .contains("<Key>t/2</Key>", "<IsTruncated>false<")
        .doesNotContain("t/1", "u/3");
    send("DELETE", "/bench/t/1", "");
    assertThat(send("GET", "/bench/t/1", "").statusCode()).isEqualTo(404);
    assertThat(server.sentBytes()).as("bodies of objects alone").isEqualTo(4);
  }

  @Test
  void signedChunksAreTakenApart() throws Exception {
    String body = "4;chunk-signature=0\r\nabcd\r\n2;chunk-signature=0\r\nef\r\n0;x=0\r\n\r\n";
    send("PUT", "/bench/c", body, "x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
    assertThat(send("GET", "/bench/c", "").body()).isEqualTo("abcdef");
  }
}
