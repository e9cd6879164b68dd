#!/usr/bin/env bash
# Apache Kafka's own command-line tools against a broker of ours, each checked by what it prints or leaves.
#
#   kafka-tools.sh DIR      DIR is made anew; a broker is started in it on a free port and stopped at the end
#
# Wants a built tree (bin/strandline builds it), or its jars in STRANDLINE_SUITE_LIB. The tools come from Maven.
# One line a case: PASS or FAIL, name, milliseconds; what a case printed is in DIR/out. Exit 0 when all passed.
set -uo pipefail
here=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
version=4.3.1
dir=${1:?a directory to work in}
lib=${STRANDLINE_SUITE_LIB:-$here/target/dist/lib}
rm -rf "$dir"; mkdir -p "$dir/out"; dir=$(cd "$dir" && pwd)
(cd "$here" && mvn -B -o -q -N dependency:copy -Dartifact=org.apache.kafka:kafka-tools:$version -DoutputDirectory="$dir/jars" \
  || mvn -B -q -N dependency:copy -Dartifact=org.apache.kafka:kafka-tools:$version -DoutputDirectory="$dir/jars") > "$dir/mvn.txt" 2>&1 || { cat "$dir/mvn.txt"; exit 2; }
class_path=$dir/jars/kafka-tools-$version.jar:$(printf '%s:' "$lib"/*.jar)
java=(java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto -cp "${class_path%:}")
cat > "$dir/quiet.xml" <<'X'
<configuration><appender name="E" class="ch.qos.logback.core.ConsoleAppender"><target>System.err</target><encoder><pattern>%level %msg%n</pattern></encoder></appender>
<root level="ERROR"><appender-ref ref="E"/></root></configuration>
X

jaas='org.apache.kafka.common.security.plain.PlainLoginModule required username="admin" password="secret" user_admin="secret";'
"${java[@]}" -Xmx384m io.strandline.broker.Main --set "log.dirs=$dir/data,$dir/more" --set "strandline.object.store=file:$dir/objects" \
  --set listeners=PLAINTEXT://127.0.0.1:0,LOGIN://127.0.0.1:0 --set listener.security.protocol.map=PLAINTEXT:PLAINTEXT,LOGIN:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT \
  --set sasl.enabled.mechanisms=PLAIN --set "listener.name.login.plain.sasl.jaas.config=$jaas" --set delegation.token.secret.key=a-secret-of-this-cluster \
  --set authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer --set 'super.users=User:ANONYMOUS;User:admin' \
  --set strandline.admin.listener=127.0.0.1:0 --set group.initial.rebalance.delay.ms=0 \
  --set offsets.topic.num.partitions=4 --set strandline.tier.upload.min.bytes=0 --set strandline.tier.gather.ms=0 > "$dir/broker.log" 2>&1 < /dev/null &
broker=$!
trap 'kill $broker 2>/dev/null; wait $broker 2>/dev/null' EXIT
for ((i = 0; i < 600; i++)); do
  grep -q '^Strandline is ready' "$dir/broker.log" && break
  kill -0 $broker 2>/dev/null || { tail -5 "$dir/broker.log"; exit 2; }
  sleep 0.1
done
read -r B L < <(sed -n 's/^Strandline is ready: \([^,]*\),.*/\1/p' "$dir/broker.log")

passed=0 failed=0
# NAME CONDITION…: runs the condition, prints the verdict.
check() {
  local name=$1 from verdict
  shift
  from=$(date +%s%N)
  if "$@" > "$dir/out/${name//[^a-z0-9]/-}.txt" 2>&1; then verdict=PASS passed=$((passed + 1)); else verdict=FAIL failed=$((failed + 1)); fi
  printf '%s\t%s\t%d\n' $verdict "$name" $((($(date +%s%N) - from) / 1000000))
}
tool() { timeout 60 "${java[@]}" -Xmx256m -Dlogback.configurationFile="$dir/quiet.xml" "$@"; }
# Prints what the rest prints, and wants it to match the pattern.
says() { local pattern=$1 out; shift; out=$("$@" 2>&1) || { printf '%s\n' "$out"; return 1; }; printf '%s\n' "$out"; grep -Eq -- "$pattern" <<<"$out"; }
never_says() { local pattern=$1 out; shift; out=$("$@" 2>&1) || { printf '%s\n' "$out"; return 1; }; printf '%s\n' "$out"; ! grep -Eq -- "$pattern" <<<"$out"; }

T=org.apache.kafka.tools
topics()  { tool $T.TopicCommand --bootstrap-server "$B" "$@"; }
configs() { tool kafka.admin.ConfigCommand --bootstrap-server "$B" "$@"; }
groups()  { tool $T.consumer.group.ConsumerGroupCommand --bootstrap-server "$B" "$@"; }
offsets() { tool $T.GetOffsetShell --bootstrap-server "$B" "$@"; }
consume() { tool $T.consumer.ConsoleConsumer --bootstrap-server "$B" --timeout-ms 15000 "$@"; }
produce() { tool $T.ConsoleProducer --bootstrap-server "$B" "$@"; }

check 'kafka-topics: create' says 'Created topic words' topics --create --topic words --partitions 2 --config segment.bytes=1048576
check 'kafka-topics: list' says '^words$' topics --list
check 'kafka-topics: describe' says 'PartitionCount: 2.*segment.bytes=1048576' topics --describe --topic words
check 'kafka-topics: alter' says 'PartitionCount: 3' bash -c "$(declare -f topics tool); $(declare -p java dir T B); topics --alter --topic words --partitions 3 && topics --describe --topic words"
check 'kafka-configs: alter a topic' says 'Completed updating' configs --alter --entity-type topics --entity-name words --add-config retention.ms=3600000
check 'kafka-configs: describe a topic' says 'retention.ms=3600000' configs --describe --entity-type topics --entity-name words
check 'kafka-configs: describe a broker' says 'log.retention.hours=' configs --describe --entity-type brokers --entity-name 1 --all
check 'kafka-configs: alter all brokers' says 'log.retention.ms=7200000' bash -c "$(declare -f configs tool); $(declare -p java dir B); configs --alter --entity-type brokers --entity-default --add-config log.retention.ms=7200000 && configs --describe --entity-type brokers --entity-default"
check 'kafka-configs: quotas of clients' says 'producer_byte_rate=1.0E8|producer_byte_rate=100000000' bash -c "$(declare -f configs tool); $(declare -p java dir B); configs --alter --entity-type clients --entity-name some --add-config producer_byte_rate=100000000 && configs --describe --entity-type clients --entity-name some"

words() { seq 1000 | sed 's/.*/k&:v&/' | produce --topic words --reader-property parse.key=true --reader-property key.separator=: --compression-codec "$1"; }
for codec in none gzip snappy lz4 zstd; do check "kafka-console-producer: $codec" words $codec; done
all() { [ "$(consume --topic words --from-beginning --max-messages 5000 2>/dev/null | sort | uniq -c | awk '$1 == 5' | wc -l)" = 1000 ]; }
check 'kafka-console-consumer: all of it' all
in_group() { consume --topic words --group readers --from-beginning --max-messages 5000 --consumer-property "group.protocol=$1"; }
check 'kafka-console-consumer: in a group' says 'Processed a total of 5000 messages' in_group classic
newer() { consume --topic words --group newer --from-beginning --max-messages 5000 --consumer-property group.protocol=consumer; }
check 'kafka-console-consumer: in a group of KIP-848' says 'Processed a total of 5000 messages' newer
check 'kafka-consumer-groups: list' says '^readers$' groups --list
check 'kafka-consumer-groups: describe' says 'readers +words +[0-2] +[0-9]+ +[0-9]+ +0 ' groups --describe --group readers
check 'kafka-consumer-groups: state' says 'newer .*(Empty|Stable)' groups --describe --group newer --state
check 'kafka-consumer-groups: reset offsets' says 'readers +words +[0-2] +0' groups --reset-offsets --group readers --topic words --to-earliest --execute
check 'kafka-consumer-groups: delete' says 'successful' groups --delete --group newer
total() { [ "$(offsets --topic words | awk -F: '{n += $3} END {print n}')" = 5000 ]; }
check 'kafka-get-offsets: latest' total
check 'kafka-get-offsets: earliest' says '^words:0:0$' offsets --topic words --time earliest
check 'kafka-get-offsets: of the greatest time' says '^words:0:[0-9]+$' offsets --topic words --time max-timestamp
check 'kafka-get-offsets: earliest local' says '^words:0:[0-9]+$' offsets --topic words --time earliest-local

echo '{"partitions":[{"topic":"words","partition":0,"offset":10}],"version":1}' > "$dir/delete.json"
check 'kafka-delete-records' says 'low_watermark: 10' tool $T.DeleteRecordsCommand --bootstrap-server "$B" --offset-json-file "$dir/delete.json"
check 'kafka-get-offsets: earliest after that' says '^words:0:10$' offsets --topic words --time earliest
check 'kafka-log-dirs' says '"partition":"words-0"' tool $T.LogDirsCommand --bootstrap-server "$B" --describe --topic-list words
check 'kafka-broker-api-versions' says 'Fetch\(1\): 4 to ' tool $T.BrokerApiVersionsCommand --bootstrap-server "$B"
check 'kafka-cluster: id' says 'Cluster ID: ' tool $T.ClusterTool cluster-id --bootstrap-server "$B"
check 'kafka-features: describe' says 'metadata.version' tool $T.FeatureCommand --bootstrap-server "$B" describe
check 'kafka-metadata-quorum: status' says 'LeaderId: +1' tool $T.MetadataQuorumCommand --bootstrap-server "$B" describe --status
check 'kafka-groups: list' says '^readers +Classic' tool $T.GroupsCommand --bootstrap-server "$B" --list
check 'kafka-leader-election: preferred' never_says 'Error' tool $T.LeaderElectionCommand --bootstrap-server "$B" --election-type preferred --all-topic-partitions

check 'kafka-topics: create for performance' says Created topics --create --topic perf --partitions 2 --config segment.bytes=4194304
check 'kafka-producer-perf-test' says '^20000 records sent' tool $T.ProducerPerformance --topic perf --num-records 20000 --record-size 1000 --throughput -1 --bootstrap-server "$B"
check 'kafka-consumer-perf-test' says ', 20000, ' tool $T.ConsumerPerformance --bootstrap-server "$B" --topic perf --num-records 20000
tiered() { for _ in 1 2 3 4 5 6; do says '^perf:0:[0-9]+$' offsets --topic perf --partitions 0 --time latest-tiered && return; done; return 1; }
check 'kafka-get-offsets: latest tiered' tiered
check 'kafka-verifiable-producer' says '"sent":500' tool $T.VerifiableProducer --bootstrap-server "$B" --topic perf --max-messages 500
check 'kafka-e2e-latency' says 'Percentiles' tool $T.EndToEndLatency --bootstrap-server "$B" --topic perf --num-records 100 --producer-acks all --record-size 100

dump() { [ -s "$1" ] && tool $T.DumpLogSegments --deep-iteration --files "$1"; }
# The first file of a partition with this ending: it may lie in either log directory.
first() { find "$dir/data" "$dir/more" -path "*/$1/*$2" -size +0 | sort | head -1; }
log=$(first words-1 .log)
check 'kafka-dump-log: a log' says 'offset: 5 .*isvalid: true|\| offset: 5 ' dump "$log"
check 'kafka-dump-log: nothing invalid' never_says 'isvalid: false|Mismatch|not valid' dump "$log"
full=$(first perf-0 .index)
check 'kafka-dump-log: an index' never_says 'Mismatches|mismatch|less than' dump "$full"
check 'kafka-dump-log: a time index' never_says 'mismatch|Mismatches|out of order' dump "${full%.index}.timeindex"
group_log=$(first '__consumer_offsets-*' .log)
check 'kafka-dump-log: committed offsets' says '"group":"|key: ' tool $T.DumpLogSegments --offsets-decoder --files "$group_log"
check 'kafka-acls: add' says 'operation=READ, permissionType=ALLOW' tool $T.AclCommand --bootstrap-server "$B" --add --allow-principal User:reader --operation Read --topic words
check 'kafka-acls: list' says 'principal=User:reader' tool $T.AclCommand --bootstrap-server "$B" --list --topic words
check 'kafka-acls: remove' never_says 'User:reader' bash -c "$(declare -f tool); $(declare -p java dir T B); tool $T.AclCommand --bootstrap-server $B --remove --force --topic words >&2 && tool $T.AclCommand --bootstrap-server $B --list --topic words"
check 'kafka-configs: a SCRAM user' says 'SCRAM-SHA-256=iterations=4096' bash -c "$(declare -f configs tool); $(declare -p java dir B); configs --alter --entity-type users --entity-name alice --add-config 'SCRAM-SHA-256=[password=secret]' && configs --describe --entity-type users --entity-name alice"

cat > "$dir/login.properties" <<X
security.protocol=SASL_PLAINTEXT
sasl.mechanism=PLAIN
sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="admin" password="secret";
X
tokens() { tool $T.DelegationTokenCommand --bootstrap-server "$L" --command-config "$dir/login.properties" "$@"; }
token() { tr ' \t' '\n\n' < "$dir/out/kafka-delegation-tokens--create.txt" | grep -E '^[A-Za-z0-9+/_-]{80,}={0,2}$' | head -1; }
check 'kafka-delegation-tokens: create' says 'User:alice' tokens --create --max-life-time-period -1 --renewer-principal User:alice
check 'kafka-delegation-tokens: describe' says 'User:admin.*User:alice' tokens --describe --owner-principal User:admin
check 'kafka-delegation-tokens: renew' says 'Completed renew operation' tokens --renew --renew-time-period -1 --hmac "$(token)"
check 'kafka-delegation-tokens: expire' says 'Completed expire operation' tokens --expire --expiry-time-period -1 --hmac "$(token)"

metrics() { tool $T.ClientMetricsCommand --bootstrap-server "$B" "$@"; }
check 'kafka-client-metrics: alter' says 'Altered client metrics config' metrics --alter --name every --metrics org.apache.kafka.producer. --interval 10000 --match client_id=some.*
check 'kafka-client-metrics: list' says '^every' metrics --list
check 'kafka-client-metrics: describe' says 'interval.ms=10000' metrics --describe --name every
check 'kafka-client-metrics: delete' says 'Deleted client metrics config' metrics --delete --name every

moves() { tool $T.reassign.ReassignPartitionsCommand --bootstrap-server "$B" "$@"; }
where() { find "$dir/data" "$dir/more" -maxdepth 1 -type d -name 'words-0'; }
to=$([ "$(where)" = "$dir/data/words-0" ] && echo "$dir/more" || echo "$dir/data")
echo "{\"version\":1,\"partitions\":[{\"topic\":\"words\",\"partition\":0,\"replicas\":[1],\"log_dirs\":[\"$to\"]}]}" > "$dir/move.json"
check 'kafka-reassign-partitions: to another log directory' says 'Successfully started moving log directory' moves --reassignment-json-file "$dir/move.json" --execute
moved() { for _ in 1 2 3 4 5 6; do says 'completed|complete' moves --reassignment-json-file "$dir/move.json" --verify | grep -v 'still' && [ "$(where)" = "$to/words-0" ] && return; done; return 1; }
check 'kafka-reassign-partitions: verify' moved
check 'kafka-log-dirs: where it lies now' says "\"partition\":\"words-0\"[^]]*\\],\"error\":null,\"logDir\":\"$to\"" tool $T.LogDirsCommand --bootstrap-server "$B" --describe --topic-list words
check 'kafka-reassign-partitions: list' says 'No partition reassignments' moves --list

transactions() { tool $T.TransactionsCommand --bootstrap-server "$B" "$@"; }
check 'kafka-transactions: list' says 'TransactionalId' transactions list
check 'kafka-transactions: producers' says 'ProducerId' transactions describe-producers --topic words --partition 0
check 'kafka-transactions: hanging' never_says 'Exception' transactions find-hanging --broker-id 1
shares() { tool $T.consumer.group.ShareGroupCommand --bootstrap-server "$B" "$@"; }
share() { configs --alter --entity-type groups --entity-name sharers --add-config share.auto.offset.reset=earliest && tool $T.consumer.ConsoleShareConsumer --bootstrap-server "$B" --topic words --group sharers --max-messages 100 --timeout-ms 15000; }
check 'kafka-console-share-consumer' says 'Processed a total of 100 messages' share
check 'kafka-share-groups: list' says '^sharers' shares --list
check 'kafka-share-groups: describe' says 'sharers +words' shares --describe --group sharers
check 'kafka-share-groups: delete' says 'successful' shares --delete --group sharers
check 'kafka-streams-groups: list' never_says 'Exception' tool $T.streams.StreamsGroupCommand --bootstrap-server "$B" --list
check 'kafka-verifiable-consumer' says '"records_consumed"' timeout 20 "${java[@]}" -Xmx256m -Dlogback.configurationFile="$dir/quiet.xml" $T.VerifiableConsumer --bootstrap-server "$B" --topic words --group-id verified --max-messages 100 --reset-policy earliest
check 'kafka-metadata-quorum: replication' says '^1 .*Leader' tool $T.MetadataQuorumCommand --bootstrap-server "$B" describe --replication
check 'kafka-storage: info' says 'metadata' tool kafka.tools.StorageTool info -c <(printf 'process.roles=broker,controller\nnode.id=1\ncontroller.quorum.voters=1@127.0.0.1:9\ncontroller.listener.names=CONTROLLER\nlisteners=PLAINTEXT://:0,CONTROLLER://:9\nlog.dirs=%s,%s\n' "$dir/data" "$dir/more")

check 'kafka-topics: delete' says '^words$' bash -c "$(declare -f topics tool); $(declare -p java dir T B); topics --delete --topic perf && topics --list"
echo "$passed passed, $failed failed"
[ $failed = 0 ]
