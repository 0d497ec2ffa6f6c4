#!/bin/sh
# memory.sh: has this host memory left, and do programs wait for it?
#
# It reads /proc/meminfo, and /proc/pressure/memory where the kernel has it (pressure stall information: the share of
# the last minute in which some, or all, programs waited for memory). Pressure tells of trouble that numbers hide.
#
#   ok     enough is available, and nobody waits
#   warn   less available, more swap in use or more waiting than the `warn` limits allow
#   fail   the same with the `fail` limits
#   void   this is no Linux with MemAvailable
#
# Settings, in brackets what holds without them.
#   --available-warn PERCENT  available is below [10]    --available-fail PERCENT  [5]
#   --swap-warn PERCENT       of the swap in use [60]    --swap-fail PERCENT       [90]
#   --some-warn PERCENT       some waited [10]           --some-fail PERCENT       [40]
#   --full-warn PERCENT       all waited [5]             --full-fail PERCENT       [20]
#   --proc DIR                [/proc]; in a container, where the host's /proc is mounted
#
# Needs: Linux 3.14 or newer; pressure: 4.20 or newer.
#
#   targets:
#     - name: memory
#       interval: 15s
#       exec: [./probes/contrib/memory.sh, --available-fail, "3"]

set -u
export LC_ALL=C
available_warn=10 available_fail=5 swap_warn=60 swap_fail=90 some_warn=10 some_fail=40 full_warn=5 full_fail=20
proc=/proc facts='' fails='' warns=''

finish() { # CODE MESSAGE
  printf '%s%s\n' "$(printf '%s' "$2" | tr '|\n' '/ ')" "${facts:+ |$facts}"
  exit "$1"
}
fails() { fails="$fails${fails:+; }$1"; }
warns() { warns="$warns${warns:+; }$1"; }
limit() { # VALUE WARN FAIL MESSAGE
  if [ "${1%.*}" -ge "$3" ]; then fails "$4"
  elif [ "${1%.*}" -ge "$2" ]; then warns "$4"; fi
}

while [ $# -gt 0 ]; do
  [ $# -ge 2 ] || finish 3 "$1 needs a value"
  case $1 in
    --proc) proc=$2; shift 2; continue ;;
    --available-warn) available_warn=$2 ;;
    --available-fail) available_fail=$2 ;;
    --swap-warn) swap_warn=$2 ;;
    --swap-fail) swap_fail=$2 ;;
    --some-warn) some_warn=$2 ;;
    --some-fail) some_fail=$2 ;;
    --full-warn) full_warn=$2 ;;
    --full-fail) full_fail=$2 ;;
    *) finish 3 "there is no setting $1" ;;
  esac
  case $2 in '' | *[!0-9]*) finish 3 "$2 is not a whole number" ;; esac
  shift 2
done

[ -r "$proc/meminfo" ] || finish 3 "there is no $proc/meminfo: this script is for Linux"
read -r total available swap_total swap_free << END
$(awk '{ sub(/:/, "", $1); v[$1] = $2 } END { print v["MemTotal"] + 0, "MemAvailable" in v ? v["MemAvailable"] : "?", v["SwapTotal"] + 0, v["SwapFree"] + 0 }' "$proc/meminfo")
END
case $total/$available in 0/* | */*[!0-9]*) finish 3 "$proc/meminfo does not tell what is available" ;; esac

share=$((available * 100 / total))
facts=" available=${share}%;$available_warn:;$available_fail:;0;100 available_bytes=$((available * 1024))B"
text="$share % of the memory is available ($((available / 1024)) MiB)"
if [ "$share" -lt "$available_fail" ]; then fails "only $text"
elif [ "$share" -lt "$available_warn" ]; then warns "only $text"; fi
if [ "$swap_total" -gt 0 ]; then
  swap=$(((swap_total - swap_free) * 100 / swap_total))
  facts="$facts swap=${swap}%;$swap_warn;$swap_fail;0;100"
  limit "$swap" "$swap_warn" "$swap_fail" "$swap % of the swap is in use"
fi
# some avg10=0.00 avg60=0.00 avg300=0.00 total=0; the file is there but unreadable where the kernel has it switched off.
pressure=$(sed -n 's/^\([a-z]*\) .*avg60=\([0-9.]*\).*/\1 \2/p' "$proc/pressure/memory" 2> /dev/null)
while read -r who waited; do
  case $who in
    some)
      facts="$facts pressure_some=${waited}%;$some_warn;$some_fail;0;100"
      limit "$waited" "$some_warn" "$some_fail" "some programs waited for memory in $waited % of the last minute"
      ;;
    full)
      facts="$facts pressure_full=${waited}%;$full_warn;$full_fail;0;100"
      limit "$waited" "$full_warn" "$full_fail" "everything waited for memory in $waited % of the last minute"
      ;;
  esac
done << END
$pressure
END
[ -z "$fails" ] || finish 2 "$fails${warns:+; $warns}"
[ -z "$warns" ] || finish 1 "$warns"
finish 0 "$text"
