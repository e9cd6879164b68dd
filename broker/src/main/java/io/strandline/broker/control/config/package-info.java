/**
 * The configuration of brokers and topics at a point of the metadata: what holds, where it comes
 * from, and which changes this broker takes while it runs (KIP-226).
 */
@NullMarked
package io.strandline.broker.control.config;

import org.jspecify.annotations.NullMarked;
