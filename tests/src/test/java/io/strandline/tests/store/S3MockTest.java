package io.strandline.tests.store;

import io.strandline.tiering.store.s3.S3Config;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/**
 * S3Mock: how the SDK, on our Netty, and HTTP behave; nothing that rests on races or signatures.
 */
class S3MockTest extends S3Contract {
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

  /** It forgets what a key has on both sides of a page's border: no borders. */
  @Override
  int pageKeys() {
    return S3Config.PAGE_KEYS_MAX;
  }

  @Override
  int many() {
    return 20;
  }

  @Override
  S3Server server() {
    return new S3Server(process.endpoint(), BUCKET, new S3Server.Keys("any", "any-secret"), false);
  }
}
