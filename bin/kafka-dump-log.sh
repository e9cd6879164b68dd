#!/bin/sh
# Apache Kafka's command of this name, from the jars beside: the launcher knows its class.
exec "$(dirname "$(readlink -f "$0")")/strandline" "$(basename "$0" .sh)" "$@"
