/** What another cluster's backups tell of a topic. */
@org.jspecify.annotations.NullMarked
package io.strandline.tools.restore;
