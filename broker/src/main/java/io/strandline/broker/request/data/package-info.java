/**
 * Records in and out: Produce, Fetch with its sessions, ListOffsets, DeleteRecords,
 * OffsetForLeaderEpoch, InitProducerId.
 */
@NullMarked
package io.strandline.broker.request.data;

import org.jspecify.annotations.NullMarked;
