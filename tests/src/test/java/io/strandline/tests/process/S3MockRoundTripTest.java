package io.strandline.tests.process;

import io.strandline.tests.store.S3MockProcess;
import io.strandline.tests.store.S3Server;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/** S3Mock: the whole path over HTTP; one writer, so that its weakness in races does not matter. */
class S3MockRoundTripTest extends S3RoundTrip {
  private static final String BUCKET = "strandline";
  private static S3MockProcess process;

  @BeforeAll
  static void start(@TempDir Path data) throws Exception {
    process = S3MockProcess.start(data, BUCKET);
  }

  @AfterAll
  static void stop() {
    process.close();
  }

  @Override
  S3Server server() {
    return new S3Server(process.endpoint(), BUCKET, new S3Server.Keys("any", "any-secret"), false);
  }
}
