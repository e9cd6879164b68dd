#!/usr/bin/env bash
# Apache Kafka's own integration tests on Strandline and on Apache Kafka, and in what they differ.
#
#   kafka-own.sh SUITE DIR LIST|CLASS…
#
# SUITE has run.sh, which puts an outside cluster under Kafka's tests, and launch-kafka.sh, which starts Apache Kafka for it;
# run.sh writes verdict, class, method, case, milliseconds and reason to DIR/{ours,kafka}/results.tsv. Takes hours for whole
# lists on two cores. Prints what of ours fails for another reason than a cluster of several brokers, and how it fares there.
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
suite=$1 dir=$2
shift 2
SUITE_PORTS=${SUITE_PORTS:-22000} "$suite/run.sh" "launcher:$here/launcher" "$dir/ours" "$@"
SUITE_PORTS=$((${SUITE_PORTS:-22000} + 1000)) "$suite/run.sh" "launcher:$suite/launch-kafka.sh" "$dir/kafka" "$@"
echo "--- failed here, and on Apache Kafka:"
awk -F'\t' '
  FNR == NR { there[$2 "\t" $4] = $1; next }
  $1 == "FAIL" && !/clusters of several brokers/ { print $2 "\t" $4 "\t" (there[$2 "\t" $4] ? there[$2 "\t" $4] : "did not run") "\t" $6 }
' "$dir/kafka/results.tsv" "$dir/ours/results.tsv"
