package io.strandline.bench.objects;

import io.strandline.bench.objects.Bucket.Condition;
import io.strandline.bench.objects.Bucket.Stored;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * S3's requests on objects, in path style: whole puts with conditions, ranged reads, lists,
 * deletes. Signatures are not looked at, and uploads in parts are not known.
 */
final class S3Answers {
  private static final Pattern RANGE = Pattern.compile("bytes=(\\d+)-(\\d+)");
  private static final Pattern KEY = Pattern.compile("<Key>([^<]*)</Key>");

  private final Bucket bucket;

  S3Answers(Bucket bucket) {
    this.bucket = bucket;
  }

  HttpAnswer answer(HttpRequest request) throws IOException {
    int slash = request.path().indexOf('/', 1);
    String name = slash < 0 ? "" : request.path().substring(slash + 1);
    return switch (request.method()) {
      case "PUT" -> put(name, request);
      case "GET" -> name.isEmpty() ? list(request) : get(name, request);
      case "HEAD" -> head(name);
      case "DELETE" -> delete(List.of(name));
      case "POST" ->
          request.query().containsKey("delete")
              ? delete(keys(request))
              : HttpAnswer.error(501, "NotImplemented");
      default -> HttpAnswer.error(405, "MethodNotAllowed");
    };
  }

  private HttpAnswer put(String name, HttpRequest request) throws IOException {
    boolean ifAbsent = request.header("if-none-match").isPresent();
    Condition condition = new Condition(request.header("if-match"), ifAbsent);
    return bucket
        .put(name, request.body(), condition)
        .map(stored -> HttpAnswer.empty(200).with("ETag", stored.etag()))
        .orElse(HttpAnswer.error(412, "PreconditionFailed"));
  }

  private HttpAnswer get(String name, HttpRequest request) {
    Optional<Stored> found = bucket.get(name);
    if (found.isEmpty()) {
      return HttpAnswer.error(404, "NoSuchKey");
    }
    Stored stored = found.get();
    Matcher range = RANGE.matcher(request.header("range").orElse(""));
    if (!range.matches()) {
      return described(stored, 200, 0, stored.lengthBytes());
    }
    long first = Long.parseLong(range.group(1));
    long end = Math.min(Long.parseLong(range.group(2)) + 1, stored.lengthBytes());
    return first >= end
        ? HttpAnswer.error(416, "InvalidRange")
        : described(stored, 206, first, end - first)
            .with("Content-Range", "bytes " + first + "-" + (end - 1) + "/" + stored.lengthBytes());
  }

  private static HttpAnswer described(Stored stored, int status, long position, long length) {
    return HttpAnswer.slice(status, new HttpAnswer.Slice(stored.file(), position, length))
        .with("ETag", stored.etag())
        .with("Last-Modified", modified(stored));
  }

  private HttpAnswer head(String name) {
    return bucket
        .get(name)
        .map(
            stored ->
                HttpAnswer.empty(200)
                    .with("ETag", stored.etag())
                    .with("Last-Modified", modified(stored))
                    .with("Content-Length", Long.toString(stored.lengthBytes())))
        .orElse(HttpAnswer.empty(404));
  }

  private HttpAnswer list(HttpRequest request) {
    int limit = Integer.parseInt(request.query().getOrDefault("max-keys", "1000"));
    String prefix = request.query().getOrDefault("prefix", "");
    String after = request.query().getOrDefault("start-after", "");
    List<Stored> page = bucket.list(prefix, after, limit + 1);
    StringBuilder xml = new StringBuilder("<ListBucketResult><KeyCount>");
    xml.append(Math.min(page.size(), limit)).append("</KeyCount><IsTruncated>");
    xml.append(page.size() > limit).append("</IsTruncated>");
    page.stream().limit(limit).forEach(o -> xml.append(entry(o)));
    return HttpAnswer.xml(200, xml.append("</ListBucketResult>").toString());
  }

  /** Names of the tier's objects hold nothing that XML would want escaped, but for the quotes. */
  private static String entry(Stored stored) {
    return "<Contents><Key>"
        + stored.name()
        + "</Key><LastModified>"
        + stored.modified()
        + "</LastModified><ETag>"
        + stored.etag().replace("\"", "&quot;")
        + "</ETag><Size>"
        + stored.lengthBytes()
        + "</Size></Contents>";
  }

  private static List<String> keys(HttpRequest request) {
    return KEY.matcher(StandardCharsets.UTF_8.decode(request.body().duplicate()))
        .results()
        .map(match -> match.group(1))
        .toList();
  }

  private HttpAnswer delete(List<String> names) throws IOException {
    for (String name : names) {
      bucket.delete(name);
    }
    return names.size() == 1
        ? HttpAnswer.empty(204)
        : HttpAnswer.xml(200, "<DeleteResult></DeleteResult>");
  }

  private static String modified(Stored stored) {
    return DateTimeFormatter.RFC_1123_DATE_TIME.format(stored.modified().atZone(ZoneOffset.UTC));
  }
}
