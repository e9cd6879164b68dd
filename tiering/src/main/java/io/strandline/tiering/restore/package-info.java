/**
 * What the store alone knows of a cluster that lost its disks: where each partition's tier ends and
 * what stood there, and the backups of the cluster's metadata. Knows neither the hot log nor
 * Kafka's metadata records; writes nothing into a partition but the claim of a leader epoch.
 */
@NullMarked
package io.strandline.tiering.restore;

import org.jspecify.annotations.NullMarked;
