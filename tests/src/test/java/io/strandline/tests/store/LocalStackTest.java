package io.strandline.tests.store;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.testcontainers.containers.localstack.LocalStackContainer;
import org.testcontainers.junit.jupiter.Testcontainers;
import org.testcontainers.utility.DockerImageName;

/** LocalStack's S3, where Docker is. */
@Testcontainers(disabledWithoutDocker = true)
class LocalStackTest extends S3Contract {
  private static final String BUCKET = "strandline";
  private static LocalStackContainer container;

  @BeforeAll
  static void start() throws Exception {
    container =
        new LocalStackContainer(DockerImageName.parse("localstack/localstack:4.9.2"))
            .withServices(LocalStackContainer.Service.S3);
    container.start();
    container.execInContainer("awslocal", "s3api", "create-bucket", "--bucket", BUCKET);
  }

  @AfterAll
  static void stop() {
    container.stop();
  }

  @Override
  S3Server server() {
    return new S3Server(
        container.getEndpoint().toString(),
        BUCKET,
        new S3Server.Keys(container.getAccessKey(), container.getSecretKey()),
        true);
  }
}
