#!/bin/sh
# mysql-replication.sh: does a replica of MySQL or MariaDB follow its source?
#
# It asks one server, through the mariadb or mysql client, for SHOW REPLICA STATUS (where it is too old for that:
# SHOW SLAVE STATUS), every channel of it, and whether it is read-only.
#
#   ok     both threads run on every channel, and the lag is below the limits
#   warn   the lag is above its `warn` limit; the receiver is reconnecting; a replica that takes writes
#   fail   no answer; it is no replica (promoted, or never set up); a thread has stopped, with its last error; the lag
#          is above its `fail` limit; the role is `source` and it is a replica, is read-only, or has too few replicas
#   void   the client is missing, the login was refused, or the user lacks the privilege
#
# Settings, in brackets what holds without them.
#   --role ROLE          replica or source [replica]
#   --lag-warn SECONDS   [30]       --lag-fail SECONDS   [300]
#   --replicas N         a source: so many replicas have to be connected [1]
#   --writable           a replica may take writes: no warning
#
# Needs: the mariadb or mysql client (Debian: mariadb-client), and a user with the privilege to ask:
#   MariaDB 10.5 and newer: CREATE USER vitald@'%' IDENTIFIED BY '...'; GRANT REPLICA MONITOR, PROCESS ON *.* TO vitald@'%';
#   MySQL:                  GRANT REPLICATION CLIENT, PROCESS ON *.* TO vitald@'%';
# Where the server is: MYSQL_HOST [localhost], MYSQL_TCP_PORT [3306]. How to log in: MYSQL_OPTIONS, the path of an option
# file with a [client] section (user, password, ssl settings); without it the client's own files (~/.my.cnf) are read.
#
#   targets:
#     - name: shop-db-replica
#       interval: 10s
#       timeout: 5s
#       exec:
#         command: [./probes/contrib/mysql-replication.sh, --lag-warn, "10"]
#         env: { MYSQL_HOST: 10.0.0.8, MYSQL_OPTIONS: /etc/vitald/mysql.cnf }

set -u
export LC_ALL=C
role=replica lag_warn=30 lag_fail=300 replicas=1 writable=no
facts='' fails='' warns=''

finish() { # CODE MESSAGE
  printf '%s%s\n' "$(printf '%s' "$2" | tr '|\n' '/ ')" "${facts:+ |$facts}"
  exit "$1"
}
fails() { fails="$fails${fails:+; }$1"; }
warns() { warns="$warns${warns:+; }$1"; }

while [ $# -gt 0 ]; do
  case $1 in
    --writable) writable=yes; shift; continue ;;
    --role | --lag-warn | --lag-fail | --replicas) ;;
    *) finish 3 "there is no setting $1" ;;
  esac
  [ $# -ge 2 ] || finish 3 "$1 needs a value"
  case $1 in
    --role) role=$2 ;;
    --lag-warn) lag_warn=$2 ;;
    --lag-fail) lag_fail=$2 ;;
    --replicas) replicas=$2 ;;
  esac
  shift 2
done
case $role in replica | source) ;; *) finish 3 "--role is replica or source, not $role" ;; esac
for number in "$lag_warn" "$lag_fail" "$replicas"; do
  case $number in '' | *[!0-9]*) finish 3 "$number is not a whole number" ;; esac
done

client=$(command -v mariadb || command -v mysql) ||
  finish 3 'there is no mariadb or mysql client here (Debian: apt-get install mariadb-client)'
[ -z "${MYSQL_OPTIONS:-}" ] || [ -r "$MYSQL_OPTIONS" ] || finish 3 "MYSQL_OPTIONS: $MYSQL_OPTIONS cannot be read"

ask() { # --execute STATEMENT -> its rows
  "$client" ${MYSQL_OPTIONS:+"--defaults-extra-file=$MYSQL_OPTIONS"} ${MYSQL_HOST:+"--host=$MYSQL_HOST"} \
    ${MYSQL_TCP_PORT:+"--port=$MYSQL_TCP_PORT"} ${MYSQL_HOST:+--protocol=TCP} \
    --connect-timeout="${MYSQL_CONNECT_TIMEOUT:-10}" --batch "$@" 2>&1
}
refused() { # ANSWER: why it was no answer; never comes back
  why=$(printf '%s\n' "$1" | sed -n '/ERROR/{p;q;}')
  why=${why:-$(printf '%s\n' "$1" | sed -n '1p')}
  case $why in
    # The server lives, and will not have us: that says nothing about replication.
    *'ERROR 1045 '* | *'ERROR 1130 '* | *'ERROR 1698 '* | *'ERROR 2054 '*) finish 3 "the login was refused: $why" ;;
    *'ERROR 1227 '* | *'ERROR 1142 '*) finish 3 "the user lacks a privilege: $why" ;;
    *'ERROR '[0-9]* | *'Connection refused'*) finish 2 "no answer: $why" ;;
    # An option file that makes no sense, and the like.
    *) finish 3 "the client would not: $why" ;;
  esac
}

read_only=$(ask --skip-column-names --execute 'SELECT @@global.read_only') || refused "$read_only"
# MariaDB spells "of all channels" otherwise, and what one of them knows is a syntax error (1064) to another.
for statement in 'SHOW ALL REPLICAS STATUS' 'SHOW REPLICA STATUS' 'SHOW ALL SLAVES STATUS' 'SHOW SLAVE STATUS'; do
  status=$(ask --execute "$statement\\G") && break
  case $status in *'ERROR 1064 '*) ;; *) refused "$status" ;; esac
done

# One line a channel, its fields in a fixed order, in the words of both generations.
separator=$(printf '\037')
channels=$(printf '%s\n' "$status" | awk -v separator="$separator" '
  function put() { if (seen) print name separator io separator sql separator lag separator source separator io_error separator sql_error }
  /^\*+ [0-9]+\. row \*+$/ { put(); seen = 1; name = source = io = sql = lag = io_error = sql_error = ""; next }
  {
    at = index($0, ": "); if (at == 0) next
    key = substr($0, 1, at - 1); gsub(/ /, "", key); value = substr($0, at + 2)
    if (key == "Connection_name" || key == "Channel_Name") name = value
    else if (key == "Master_Host" || key == "Source_Host") source = value
    else if (key == "Slave_IO_Running" || key == "Replica_IO_Running") io = value
    else if (key == "Slave_SQL_Running" || key == "Replica_SQL_Running") sql = value
    else if (key == "Seconds_Behind_Master" || key == "Seconds_Behind_Source") lag = value
    else if (key == "Last_IO_Error") io_error = value
    else if (key == "Last_SQL_Error") sql_error = value
  }
  END { put() }')

count=0 oldest=0 sources=''
while IFS="$separator" read -r name io sql lag source io_error sql_error; do
  [ -n "$io" ] || continue
  count=$((count + 1)) sources="$sources${sources:+, }$source" of="${name:+channel $name: }"
  case $io in
    Yes) ;;
    # A receiver that comes and goes is no verdict yet: its next try may hold.
    Connecting | Preparing) warns "${of}not connected to its source $source${io_error:+: $io_error}" ;;
    *) fails "${of}the receiver (IO thread) has stopped${io_error:+: $io_error}" ;;
  esac
  [ "$sql" = Yes ] || fails "${of}the applier (SQL thread) has stopped${sql_error:+: $sql_error}"
  case $lag in
    '' | *[!0-9]*) continue ;;
  esac
  [ "$lag" -le "$oldest" ] || oldest=$lag
  if [ "$lag" -ge "$lag_fail" ]; then fails "$of$lag s behind"
  elif [ "$lag" -ge "$lag_warn" ]; then warns "$of$lag s behind"; fi
done << END
$channels
END

if [ "$role" = source ]; then
  [ "$count" -eq 0 ] || finish 2 "this should be the source, and is a replica of $sources"
  connected=$(ask --skip-column-names --execute "SELECT count(*) FROM information_schema.processlist WHERE command IN ('Binlog Dump', 'Binlog Dump GTID')") ||
    refused "$connected"
  facts=" replicas=$connected"
  [ "$connected" -ge "$replicas" ] || fails "broken replication: $connected of $replicas replicas connected"
  [ "$read_only" = 0 ] || fails 'the source is read-only'
  said="source: replicas connected: $connected"
else
  facts=" channels=$count lag=${oldest}s;$lag_warn;$lag_fail;0"
  [ "$count" -gt 0 ] || finish 2 'this should be a replica, and follows nobody: it was promoted, or never set up'
  [ "$read_only" != 0 ] || [ "$writable" = yes ] || warns 'the replica takes writes: read_only is off'
  said="replica: follows $sources, $oldest s behind"
fi
[ -z "$fails" ] || finish 2 "$fails${warns:+; $warns}"
[ -z "$warns" ] || finish 1 "$warns"
finish 0 "$said"
