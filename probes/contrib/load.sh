#!/bin/sh
# load.sh: is this host overloaded, or does it wait for its disks?
#
# It reads /proc/loadavg, divided by the number of cores, and /proc/pressure/cpu and io where the kernel has them
# (pressure stall information: the share of the last minute in which some, or all, programs waited).
#
#   ok     below the limits
#   warn   above a `warn` limit
#   fail   above a `fail` limit
#   void   this is no Linux
#
# Settings, in brackets what holds without them.
#   --load-warn N       load of the last five minutes for each core [2]      --load-fail N      [5]
#   --cpu-warn PERCENT  some programs waited for a core [60]                 --cpu-fail PERCENT [90]
#   --io-warn PERCENT   all programs waited for a disk [30]                  --io-fail PERCENT  [60]
#   --cores N           [as many as this host has online]
#   --proc DIR          [/proc]; in a container, where the host's /proc is mounted
#
# Needs: Linux; pressure: 4.20 or newer.
#
#   targets:
#     - name: load
#       interval: 15s
#       exec: [./probes/contrib/load.sh, --load-warn, "1.5"]

set -u
export LC_ALL=C
load_warn=2 load_fail=5 cpu_warn=60 cpu_fail=90 io_warn=30 io_fail=60 cores='' proc=/proc
facts='' fails='' warns=''

finish() { # CODE MESSAGE
  printf '%s%s\n' "$(printf '%s' "$2" | tr '|\n' '/ ')" "${facts:+ |$facts}"
  exit "$1"
}
fails() { fails="$fails${fails:+; }$1"; }
warns() { warns="$warns${warns:+; }$1"; }
reaches() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a + 0 >= b + 0) }'; }
limit() { # VALUE WARN FAIL MESSAGE
  if reaches "$1" "$3"; then fails "$4"
  elif reaches "$1" "$2"; then warns "$4"; fi
}

while [ $# -gt 0 ]; do
  [ $# -ge 2 ] || finish 3 "$1 needs a value"
  case $1 in
    --proc) proc=$2; shift 2; continue ;;
    --load-warn) load_warn=$2 ;;
    --load-fail) load_fail=$2 ;;
    --cpu-warn) cpu_warn=$2 ;;
    --cpu-fail) cpu_fail=$2 ;;
    --io-warn) io_warn=$2 ;;
    --io-fail) io_fail=$2 ;;
    --cores) cores=$2 ;;
    *) finish 3 "there is no setting $1" ;;
  esac
  case $2 in '' | . | *.*.* | *[!0-9.]*) finish 3 "$2 is not a number" ;; esac
  shift 2
done

[ -r "$proc/loadavg" ] || finish 3 "there is no $proc/loadavg: this script is for Linux"
cores=${cores:-$(grep -c '^processor' "$proc/cpuinfo" 2> /dev/null || getconf _NPROCESSORS_ONLN)}
reaches "$cores" 1 || finish 3 'the number of cores is unknown: say --cores'
read -r one five fifteen rest < "$proc/loadavg"
: "${rest:-}"
each=$(awk -v sum="$five" -v cores="$cores" 'BEGIN { printf "%.2f", sum / cores }')
facts=" load_per_core=$each;$load_warn;$load_fail;0 load1=$one load5=$five load15=$fifteen cores=$cores"
limit "$each" "$load_warn" "$load_fail" "the load is $each for each of $cores cores ($one, $five, $fifteen)"

waited() { # FILE some|full -> the share of the last minute; empty where the kernel does not tell
  sed -n "s/^$2 .*avg60=\([0-9.]*\).*/\1/p" "$proc/pressure/$1" 2> /dev/null
}
cpu=$(waited cpu some)
if [ -n "$cpu" ]; then
  facts="$facts pressure_cpu=${cpu}%;$cpu_warn;$cpu_fail;0;100"
  limit "$cpu" "$cpu_warn" "$cpu_fail" "some programs waited for a core in $cpu % of the last minute"
fi
io=$(waited io full)
if [ -n "$io" ]; then
  facts="$facts pressure_io=${io}%;$io_warn;$io_fail;0;100"
  limit "$io" "$io_warn" "$io_fail" "everything waited for disks in $io % of the last minute"
fi
[ -z "$fails" ] || finish 2 "$fails${warns:+; $warns}"
[ -z "$warns" ] || finish 1 "$warns"
finish 0 "the load is $each for each of $cores cores"
