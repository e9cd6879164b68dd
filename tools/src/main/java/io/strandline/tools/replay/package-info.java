/** Where the records of a replay job go: lines, files, another cluster; and how it resumes. */
@org.jspecify.annotations.NullMarked
package io.strandline.tools.replay;
