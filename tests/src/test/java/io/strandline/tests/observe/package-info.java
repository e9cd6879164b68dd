/** What an operator sees from outside: metrics over JMX and HTTP, health. */
@NullMarked
package io.strandline.tests.observe;

import org.jspecify.annotations.NullMarked;
