/** Many partitions: what nodes in processes of their own need for them, beside Apache Kafka's. */
@NullMarked
package io.strandline.tests.scale;

import org.jspecify.annotations.NullMarked;
