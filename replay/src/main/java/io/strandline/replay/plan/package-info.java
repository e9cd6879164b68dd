/** Pure: which chunks a read needs and how few requests fetch them. Executes nothing. */
@NullMarked
package io.strandline.replay.plan;

import org.jspecify.annotations.NullMarked;
