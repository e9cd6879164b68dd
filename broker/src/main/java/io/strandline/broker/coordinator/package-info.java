/**
 * What Kafka's {@code CoordinatorRuntime} needs to run a coordinator on partitions of ours: its
 * state read back, its records written, elections told. Knows no coordinator in particular.
 */
@NullMarked
package io.strandline.broker.coordinator;

import org.jspecify.annotations.NullMarked;
