#!/bin/sh
# redis-replication.sh: does Redis (or Valkey) replicate, seen from the master, from a replica, or from a sentinel?
#
# It asks one server, through redis-cli, for INFO; a sentinel for SENTINEL MASTER and SENTINEL CKQUORUM.
#
#   ok     the link is up, and the lag is below the limits; a sentinel: its master is up, and the quorum is there
#   warn   the lag is above its `warn` limit; a first synchronisation; saving to disk fails; a sentinel: fewer replicas
#          or other sentinels than wanted
#   fail   no answer; the wrong role (failed over); a replica whose link to its master is down; too few replicas; the lag
#          is above its `fail` limit; a sentinel: the master is down, or the quorum is not
#   void   redis-cli is missing, or the password was refused
#
# Settings, in brackets what holds without them. Sizes take k, M or G (1024), times are seconds.
#   --role ROLE          what this server has to be: master, replica, any or sentinel [any]
#   --replicas N         a master: so many replicas have to be online; a sentinel: has to know [1]
#   --lag-warn SIZE      of the replication stream, not yet at the replica [16M]      --lag-fail SIZE   [256M]
#   --silence-warn TIME  since the other side was heard last [15]                     --silence-fail TIME [60]
#   --master NAME        a sentinel: the master to ask for [mymaster]
#   --sentinels N        a sentinel: so many others have to be there [2]
#   --standalone         any: a server without replicas is fine
#
# Needs: redis-cli (Debian: redis-tools), Redis 5 or newer. Where the server is: REDIS_HOST [127.0.0.1], REDIS_PORT [6379;
# a sentinel: 26379]. How to log in: REDISCLI_AUTH (the password), REDIS_USER, and REDIS_TLS=yes with REDIS_CACERT,
# REDIS_CERT, REDIS_KEY.
#
#   targets:
#     - name: sessions-replica
#       interval: 5s
#       exec:
#         command: [./probes/contrib/redis-replication.sh, --role, replica]
#         env: { REDIS_HOST: 10.0.0.9, REDISCLI_AUTH: "${SESSIONS_PASSWORD}" }
#     - name: sessions-sentinel
#       exec:
#         command: [./probes/contrib/redis-replication.sh, --role, sentinel, --master, sessions]
#         env: { REDIS_HOST: 10.0.0.10 }

set -u
export LC_ALL=C
role=any replicas=1 lag_warn=16M lag_fail=256M silence_warn=15 silence_fail=60
master=mymaster sentinels=2 standalone=no
facts='' fails='' warns=''

finish() { # CODE MESSAGE
  printf '%s%s\n' "$(printf '%s' "$2" | tr '|\n' '/ ')" "${facts:+ |$facts}"
  exit "$1"
}
fails() { fails="$fails${fails:+; }$1"; }
warns() { warns="$warns${warns:+; }$1"; }
bytes() { # SIZE -> its bytes
  number=${1%[kMG]}
  case $number in '' | *[!0-9]*) return 1 ;; esac
  case $1 in
    *k) echo $((number * 1024)) ;;
    *M) echo $((number * 1048576)) ;;
    *G) echo $((number * 1073741824)) ;;
    *) echo "$number" ;;
  esac
}
limit() { # VALUE WARN FAIL MESSAGE
  if [ "$1" -ge "$3" ]; then fails "$4"
  elif [ "$1" -ge "$2" ]; then warns "$4"; fi
}

while [ $# -gt 0 ]; do
  case $1 in
    --standalone) standalone=yes; shift; continue ;;
    --role | --replicas | --lag-warn | --lag-fail | --silence-warn | --silence-fail | --master | --sentinels) ;;
    *) finish 3 "there is no setting $1" ;;
  esac
  [ $# -ge 2 ] || finish 3 "$1 needs a value"
  case $1 in
    --role) role=$2 ;;
    --replicas) replicas=$2 ;;
    --lag-warn) lag_warn=$2 ;;
    --lag-fail) lag_fail=$2 ;;
    --silence-warn) silence_warn=$2 ;;
    --silence-fail) silence_fail=$2 ;;
    --master) master=$2 ;;
    --sentinels) sentinels=$2 ;;
  esac
  shift 2
done
case $role in master | replica | any | sentinel) ;; *) finish 3 "--role is master, replica, any or sentinel, not $role" ;; esac
for number in "$replicas" "$silence_warn" "$silence_fail" "$sentinels"; do
  case $number in '' | *[!0-9]*) finish 3 "$number is not a whole number" ;; esac
done
for size in "$lag_warn" "$lag_fail"; do
  bytes "$size" > /dev/null || finish 3 "$size is not a size: a whole number, with k, M or G behind it"
done
lag_warn=$(bytes "$lag_warn") lag_fail=$(bytes "$lag_fail")

command -v redis-cli > /dev/null || finish 3 'there is no redis-cli here (Debian: apt-get install redis-tools)'
port=6379
[ "$role" != sentinel ] || port=26379

ask() { # COMMAND... -> the answer, without carriage returns
  answer=$(redis-cli -h "${REDIS_HOST:-127.0.0.1}" -p "${REDIS_PORT:-$port}" ${REDIS_USER:+--user "$REDIS_USER"} \
    ${REDIS_TLS:+--tls} ${REDIS_CACERT:+--cacert "$REDIS_CACERT"} ${REDIS_CERT:+--cert "$REDIS_CERT"} \
    ${REDIS_KEY:+--key "$REDIS_KEY"} --no-auth-warning "$@" 2>&1 < /dev/null)
  # redis-cli ends with 0 whatever the server said.
  code=$?
  answer=$(printf '%s' "$answer" | tr -d '\r')
  case $answer in
    # At its beginning only: INFO counts the errors of others by these names.
    NOAUTH* | WRONGPASS* | NOPERM* | 'ERR invalid password'* | 'AUTH failed'*) finish 3 "the login was refused: $(line1)" ;;
    'Could not connect'* | LOADING* | 'Error: '*) finish 2 "no answer: $(line1)" ;;
  esac
  [ "$code" -eq 0 ] || finish 2 "no answer: $(line1)"
}
line1() { printf '%s\n' "$answer" | sed -n '/./{p;q;}'; }
field() { # NAME of INFO -> its value
  printf '%s\n' "$answer" | sed -n "s/^$1://p"
}
member() { # NAME of a SENTINEL answer -> the line after it
  printf '%s\n' "$answer" | awk -v name="$1" 'NR % 2 == 1 && $0 == name { getline; print; exit }'
}

if [ "$role" = sentinel ]; then
  ask sentinel master "$master"
  case $answer in
    *'No such master'*) finish 2 "this sentinel knows no master $master" ;;
    ERR*) finish 2 "this is no sentinel: $(line1)" ;;
  esac
  flags=$(member flags) where="$(member ip):$(member port)" others=$(member num-other-sentinels) known=$(member num-slaves)
  case $known in '' | *[!0-9]*) finish 2 "this is no sentinel: $(line1)" ;; esac
  facts=" replicas=$known sentinels=$((others + 1)) quorum=$(member quorum)"
  case $flags in
    *o_down*) fails "master $master ($where) is down, and the sentinels agree" ;;
    *s_down*) fails "master $master ($where) is down for this sentinel" ;;
    *disconnected*) fails "this sentinel is not connected to master $master ($where)" ;;
  esac
  case $flags in *failover_in_progress*) warns 'a failover is in progress' ;; esac
  [ "$others" -ge "$sentinels" ] || warns "$others of $sentinels other sentinels"
  [ "$known" -ge "$replicas" ] || warns "$known of $replicas replicas"
  ask sentinel ckquorum "$master"
  case $answer in OK*) ;; *) fails "no quorum: $(line1)" ;; esac
  said="master $master is $where, $known replicas, $((others + 1)) sentinels, the quorum is there"
else
  ask info
  found=$(field role)
  case $found in
    master) ;;
    slave) found=replica ;;
    *) finish 2 "this is no Redis with replication: $(line1)" ;;
  esac
  if [ "$role" != any ] && [ "$role" != "$found" ]; then finish 2 "this should be a $role, and is a $found: it was failed over"; fi
  [ "$(field rdb_last_bgsave_status)" != err ] || warns 'the last save to disk failed'
  [ "$(field aof_last_write_status)" != err ] || fails 'the append-only file cannot be written: writes are refused'
  worst=0 oldest=0
  if [ "$found" = master ]; then
    offset=$(field master_repl_offset) online=0
    # slave0:ip=10.0.0.9,port=6379,state=online,offset=238,lag=1
    lines=$(printf '%s\n' "$answer" | sed -n 's/^slave[0-9]*:ip=\(.*\),port=\([0-9]*\),state=\([a-z_]*\),offset=\([0-9]*\),lag=\([0-9-]*\).*$/\1:\2 \3 \4 \5/p')
    while read -r where state at silence; do
      [ -n "$where" ] || continue
      if [ "$state" != online ]; then warns "replica $where is not online yet: $state"; continue; fi
      online=$((online + 1)) behind=$((offset - at))
      [ "$behind" -le "$worst" ] || worst=$behind
      [ "$silence" -le "$oldest" ] || oldest=$silence
      limit "$behind" "$lag_warn" "$lag_fail" "replica $where is behind by $behind bytes"
      limit "$silence" "$silence_warn" "$silence_fail" "nothing heard from replica $where for $silence s"
    done << END
$lines
END
    facts=" replicas=$online"
    [ "$standalone" = yes ] || [ "$online" -ge "$replicas" ] || fails "broken replication: $online of $replicas replicas online"
    said="master: $online replicas online"
  else
    where="$(field master_host):$(field master_port)" oldest=$(field master_last_io_seconds_ago)
    # Of a replica, the offset of what it has processed; Redis 7 tells what it has read, too.
    read_offset=$(field slave_read_repl_offset) offset=$(field slave_repl_offset)
    [ -z "$read_offset" ] || worst=$((read_offset - offset))
    if [ "$(field master_link_status)" != up ]; then
      oldest=0 down=$(field master_link_down_since_seconds)
      if [ "$(field master_sync_in_progress)" = 1 ]; then warns "synchronising with its master $where"
      elif [ "${down:--1}" -lt 0 ]; then fails "broken replication: never connected to its master $where"
      else fails "broken replication: the link to its master $where is down since $down s"; fi
    fi
    limit "$worst" "$lag_warn" "$lag_fail" "behind by $worst bytes"
    limit "$oldest" "$silence_warn" "$silence_fail" "nothing heard from its master $where for $oldest s"
    said="replica: linked to $where"
  fi
  facts=" lag=${worst}B;$lag_warn;$lag_fail;0 silence=${oldest}s;$silence_warn;$silence_fail;0$facts"
fi
[ -z "$fails" ] || finish 2 "$fails${warns:+; $warns}"
[ -z "$warns" ] || finish 1 "$warns"
finish 0 "$said"
