/**
 * What should lie where: a plan of moves from where partitions lie and what they carry. No clock,
 * no network, no chance: one snapshot has one plan.
 */
@org.jspecify.annotations.NullMarked
package io.strandline.tools.balance;
