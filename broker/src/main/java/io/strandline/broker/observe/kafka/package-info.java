/**
 * Meters under Apache Kafka's names, as MBeans with the attributes that Kafka's have: what
 * dashboards of Kafka read. Cheap to feed, computed when read; no library of meters is used, for
 * Kafka's costs about a microsecond for each histogram that a request touches.
 */
@NullMarked
package io.strandline.broker.observe.kafka;

import org.jspecify.annotations.NullMarked;
