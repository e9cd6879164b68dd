/** Brokers and clusters that lost their disks, built again from the object store. */
@org.jspecify.annotations.NullMarked
package io.strandline.tests.restore;
