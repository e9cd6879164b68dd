/** Transactions as clients see them, through crashes too. */
package io.strandline.tests.transaction;
