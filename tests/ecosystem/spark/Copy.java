package io.strandline.ecosystem;

import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.streaming.Trigger;

/**
 * The application: copies topic "in" to "out" by Structured Streaming until it is killed. BOOTSTRAP
 * DIRECTORY
 */
final class Copy {
  private Copy() {}

  static SparkSession session(String directory) {
    return SparkSession.builder()
        .master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.sql.warehouse.dir", directory + "/warehouse")
        .config("spark.local.dir", directory + "/local")
        .getOrCreate();
  }

  public static void main(String[] args) throws Exception {
    session(args[1])
        .readStream()
        .format("kafka")
        .option("kafka.bootstrap.servers", args[0])
        .option("subscribe", "in")
        .option("startingOffsets", "earliest")
        .option("includeHeaders", "true")
        .option("maxOffsetsPerTrigger", "500")
        .load()
        .selectExpr("key", "value", "headers")
        .writeStream()
        .format("kafka")
        .option("kafka.bootstrap.servers", args[0])
        .option("includeHeaders", "true")
        .option("topic", "out")
        .option("checkpointLocation", args[1] + "/checkpoint")
        .trigger(Trigger.ProcessingTime(200))
        .start()
        .awaitTermination();
  }
}
