#!/bin/sh
# postgresql-replication.sh: does PostgreSQL's streaming replication work, seen from the primary or from a standby?
#
# It asks one server, through psql, for its role, its senders or its receiver, the lag, and the WAL that slots keep.
#
#   ok     replication streams, and the lag is below the limits
#   warn   a lag, a slot's WAL or a paused replay above its `warn` limit; a sender that is still catching up; a slot
#          that nobody uses
#   fail   no answer; the wrong role (a standby that was promoted, a primary that became a standby); too few standbys,
#          or a named one, that stream; no receiver on a standby; synchronous commit without a standby for it; a slot
#          whose WAL is lost; a `fail` limit
#   void   psql is missing, the login was refused, or the user may not read the statistics
#
# Settings, in brackets what holds without them. Sizes take k, M or G (1024), times are seconds.
#   --role ROLE         what this server has to be: primary, standby or any [any]
#   --standbys N        a primary: so many standbys have to stream [1]
#   --names A,B         a primary: the standbys with these application names have to stream [none]
#   --lag-warn SIZE     WAL that is not replayed yet [64M]       --lag-fail SIZE    [1G]
#   --delay-warn TIME   how old what is replayed last is [30]    --delay-fail TIME  [300]
#   --slot-warn SIZE    WAL that a slot holds back [1G]          --slot-fail SIZE   [10G]
#   --archive           a standby may live from the WAL archive alone: no receiver is fine
#
# Needs: psql 10 or newer (Debian: postgresql-client), PostgreSQL 10 or newer, and a user in pg_monitor:
#   CREATE ROLE vitald LOGIN; GRANT pg_monitor TO vitald;
# Where the server is, and how to log in, stands in libpq's own variables: PGHOST, PGPORT, PGUSER, PGDATABASE [postgres],
# PGSSLMODE, PGPASSFILE, PGSERVICE.
#
#   targets:
#     - name: orders-db-replication
#       interval: 10s
#       timeout: 5s
#       exec:
#         command: [./probes/contrib/postgresql-replication.sh, --role, primary, --standbys, "2"]
#         env: { PGHOST: 10.0.0.7, PGUSER: vitald, PGPASSFILE: /etc/vitald/pgpass }

set -u
export LC_ALL=C
role=any standbys=1 names='' archive=no
lag_warn=64M lag_fail=1G delay_warn=30 delay_fail=300 slot_warn=1G slot_fail=10G
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
pretty() { # BYTES -> for people
  if [ "$1" -ge 1073741824 ]; then echo "$(($1 / 1073741824)) GiB"
  elif [ "$1" -ge 1048576 ]; then echo "$(($1 / 1048576)) MiB"
  elif [ "$1" -ge 1024 ]; then echo "$(($1 / 1024)) KiB"
  else echo "$1 B"; fi
}
limit() { # WHAT VALUE WARN FAIL SHOWN
  if [ "${2%.*}" -ge "$4" ]; then fails "$1 $5"
  elif [ "${2%.*}" -ge "$3" ]; then warns "$1 $5"; fi
}

while [ $# -gt 0 ]; do
  case $1 in
    --archive) archive=yes; shift; continue ;;
    --role | --standbys | --names | --lag-warn | --lag-fail | --delay-warn | --delay-fail | --slot-warn | --slot-fail) ;;
    *) finish 3 "there is no setting $1" ;;
  esac
  [ $# -ge 2 ] || finish 3 "$1 needs a value"
  case $1 in
    --role) role=$2 ;;
    --standbys) standbys=$2 ;;
    --names) names=$2 ;;
    --lag-warn) lag_warn=$2 ;;
    --lag-fail) lag_fail=$2 ;;
    --delay-warn) delay_warn=$2 ;;
    --delay-fail) delay_fail=$2 ;;
    --slot-warn) slot_warn=$2 ;;
    --slot-fail) slot_fail=$2 ;;
  esac
  shift 2
done
case $role in primary | standby | any) ;; *) finish 3 "--role is primary, standby or any, not $role" ;; esac
for number in "$standbys" "$delay_warn" "$delay_fail"; do
  case $number in '' | *[!0-9]*) finish 3 "$number is not a whole number" ;; esac
done
for size in "$lag_warn" "$lag_fail" "$slot_warn" "$slot_fail"; do
  bytes "$size" > /dev/null || finish 3 "$size is not a size: a whole number, with k, M or G behind it"
done
lag_warn=$(bytes "$lag_warn") lag_fail=$(bytes "$lag_fail") slot_warn=$(bytes "$slot_warn") slot_fail=$(bytes "$slot_fail")

command -v psql > /dev/null || finish 3 'there is no psql here (Debian: apt-get install postgresql-client)'
export PGDATABASE="${PGDATABASE:-postgres}" PGAPPNAME=vitald PGCONNECT_TIMEOUT="${PGCONNECT_TIMEOUT:-10}"
# A field may be empty, and a separator that counts as white space would swallow it.
separator=$(printf '\037')

answer=$(psql -XAtq -w -v ON_ERROR_STOP=1 -F "$separator" 2>&1 << 'SQL'
SELECT pg_is_in_recovery() AS standby \gset
\if :standby
SELECT 'role', 'standby';
SELECT 'receiver', coalesce(r.status, CASE WHEN r.pid IS NULL THEN 'none' ELSE 'hidden' END),
       greatest(0, coalesce(pg_wal_lsn_diff(coalesce(r.latest_end_lsn, pg_last_wal_receive_lsn()),
                                            pg_last_wal_replay_lsn()), 0))::bigint,
       CASE WHEN pg_last_wal_receive_lsn() <= pg_last_wal_replay_lsn() THEN 0 ELSE age END, age,
       pg_is_wal_replay_paused(), coalesce(to_jsonb(r)->>'sender_host', ''), coalesce(to_jsonb(r)->>'sender_port', '')
  FROM (SELECT greatest(0, coalesce(round(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::numeric, 1),
                                    0)) AS age) a
  LEFT JOIN pg_stat_wal_receiver r ON true;
\else
SELECT 'role', 'primary';
SELECT 'sync', current_setting('synchronous_standby_names');
SELECT 'sender', coalesce(nullif(application_name, ''), host(client_addr), '?'), coalesce(state, 'hidden'), coalesce(sync_state, ''),
       greatest(0, coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn), 0))::bigint,
       coalesce(round(extract(epoch FROM replay_lag)::numeric, 1), 0)
  FROM pg_stat_replication WHERE state IS DISTINCT FROM 'backup';
SELECT 'slot', slot_name, active, coalesce(to_jsonb(s)->>'wal_status', ''),
       greatest(0, coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0))::bigint
  FROM pg_replication_slots s WHERE NOT temporary;
\endif
SQL
) || {
  first=$(printf '%s\n' "$answer" | sed -n '/./{s/^psql: *//;s/^error: *//;p;q;}')
  case $answer in
    # The server lives, and will not have us: that says nothing about replication.
    *'authentication failed'* | *'no password supplied'* | *'no pg_hba.conf entry'* | *'permission denied'* | *'role "'*'" does not exist'* | *'database "'*'" does not exist'*)
      finish 3 "the login was refused: $first" ;;
    *) finish 2 "no answer: $first" ;;
  esac
}

found='' streaming='' count=0 synchronous=0 wants_sync='' worst=0 oldest=0
while IFS="$separator" read -r kind a b c d e f g; do
  case $kind in
    role) found=$a ;;
    sync) wants_sync=$a ;;
    sender)
      case $b in
        hidden) finish 3 "the user ${PGUSER:-$(id -un)} may not read pg_stat_replication: grant it pg_monitor" ;;
        streaming) count=$((count + 1)); streaming="$streaming,$a," ;;
        *) warns "$a is not streaming: $b" ;;
      esac
      case $c in sync | quorum) synchronous=$((synchronous + 1)) ;; esac
      [ "$d" -le "$worst" ] || worst=$d
      [ "${e%.*}" -le "${oldest%.*}" ] || oldest=$e
      limit "standby $a is behind by" "$d" "$lag_warn" "$lag_fail" "$(pretty "$d")"
      limit "standby $a is behind by" "$e" "$delay_warn" "$delay_fail" "$e s"
      ;;
    slot)
      facts="$facts 'slot $a'=${d}B;$slot_warn;$slot_fail;0"
      case $c in
        lost) fails "the WAL of slot $a is lost: its standby has to be built anew" ;;
        unreserved) fails "the WAL of slot $a is about to be lost ($(pretty "$d") held back)" ;;
        *)
          [ "$b" = t ] || warns "nobody uses slot $a, which holds back $(pretty "$d") of WAL"
          limit "slot $a holds back" "$d" "$slot_warn" "$slot_fail" "$(pretty "$d") of WAL"
          ;;
      esac
      ;;
    receiver)
      worst=$b oldest=$c where="${f:+ from $f${g:+:$g}}"
      case $a in
        hidden) finish 3 "the user ${PGUSER:-$(id -un)} may not read pg_stat_wal_receiver: grant it pg_monitor" ;;
        streaming) said="standby: streaming$where" ;;
        none | *)
          said='standby: lives from the archive' oldest=$d
          [ "$archive" = yes ] || fails "broken replication: $([ "$a" = none ] && echo 'nothing is received' || echo "the receiver is $a") from the primary; what was replayed last is $d s old"
          ;;
      esac
      [ "$e" = f ] || warns 'the replay is paused'
      limit 'the standby is behind by' "$worst" "$lag_warn" "$lag_fail" "$(pretty "$worst")"
      [ -n "$fails" ] || limit 'the standby is behind by' "$oldest" "$delay_warn" "$delay_fail" "$oldest s"
      ;;
  esac
done << END
$answer
END

facts=" lag=${worst}B;$lag_warn;$lag_fail;0 delay=${oldest}s;$delay_warn;$delay_fail;0$facts"
if [ "$role" != any ] && [ "$role" != "$found" ]; then
  if [ "$found" = primary ]; then finish 2 'this should be a standby, and is a primary: it was promoted'; fi
  finish 2 'this should be the primary, and is a standby'
fi
if [ "$found" = primary ]; then
  facts=" standbys=$count$facts"
  said="primary: $count streaming"
  [ "$count" -ge "$standbys" ] || fails "broken replication: $count of $standbys standbys streaming"
  rest=$names,
  while [ -n "$rest" ]; do
    name=${rest%%,*} rest=${rest#*,}
    case $streaming in *",$name,"*) ;; *) [ -z "$name" ] || fails "standby $name is not streaming" ;; esac
  done
  [ -z "$wants_sync" ] || [ "$synchronous" -gt 0 ] || fails 'commits hang: no synchronous standby is connected'
fi
[ -z "$fails" ] || finish 2 "$fails${warns:+; $warns}"
[ -z "$warns" ] || finish 1 "$warns"
finish 0 "$said, $(pretty "$worst") and $oldest s behind"
