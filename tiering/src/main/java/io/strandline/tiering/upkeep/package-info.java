/**
 * What is done now and then to a partition that this broker leads, apart from shipping: one {@link
 * io.strandline.tiering.upkeep.Chore} each.
 */
@org.jspecify.annotations.NullMarked
package io.strandline.tiering.upkeep;
