/**
 * The dashboards and alerts below {@code deploy/observability}, as code: made from the catalogue of
 * meters, so that none is named that no node tells.
 */
@NullMarked
package io.strandline.tests.observe.board;

import org.jspecify.annotations.NullMarked;
