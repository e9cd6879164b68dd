/**
 * The command line: topics, records and groups through Kafka's clients, and the tier straight from
 * its store. Never depends on the broker.
 */
@NullMarked
package io.strandline.tools;

import org.jspecify.annotations.NullMarked;
