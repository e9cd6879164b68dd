/**
 * The state of a transactional id and the rules by which it changes (KIP-98, 360, 890): pure, no
 * threads, no clock. Every rule takes what is and what is asked, and gives a {@link
 * io.strandline.broker.transaction.state.Verdict}.
 */
@NullMarked
package io.strandline.broker.transaction.state;

import org.jspecify.annotations.NullMarked;
