/**
 * What goes wrong around a broker, against brokers in processes of their own: the object store away
 * or frozen, the process killed, the disk full, garbage at the socket, two processes for one place.
 * Rounds beyond those of every build: {@code -Dfault.rounds=N}, {@code -Dfault.seed=S}.
 */
@NullMarked
package io.strandline.tests.fault;

import org.jspecify.annotations.NullMarked;
