/** What another cluster's backups tell of a topic, and what is said of it here. */
@org.jspecify.annotations.NullMarked
package io.strandline.tools.restore;
