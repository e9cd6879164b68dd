/** What {@code strandline doctor} looks at: a node, its store, its cluster; and what it advises. */
@org.jspecify.annotations.NullMarked
package io.strandline.tools.doctor;
