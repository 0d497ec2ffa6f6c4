#!/bin/sh
# systemd-unit.sh: does a unit of systemd run, without being restarted again and again?
#
# It asks systemctl for the unit's properties.
#
#   ok     active; for a job (a oneshot service): its last run succeeded, or it runs now
#   warn   starting, stopping or reloading; restarted more often than the `warn` limit since it was started by hand
#   fail   failed, or not active; waiting to be restarted after it died; restarted more often than the `fail` limit; the
#          unit does not exist, or is masked
#   void   there is no systemd here, or it does not answer us
#
# Settings, in brackets what holds without them; then the unit.
#   --job                a service of Type=oneshot, started by a timer: inactive is fine where its last run succeeded
#   --restarts-warn N    automatic restarts [3]          --restarts-fail N    [none]
#   --user               a unit of the user's own systemd
#
# Needs: systemctl, systemd 235 or newer for restarts. No rights: anyone may ask. For --user, set XDG_RUNTIME_DIR in env.
#
#   targets:
#     - name: orders-service
#       interval: 5s
#       exec: [./probes/contrib/systemd-unit.sh, orders.service]
#     - name: backup-job
#       interval: 1m
#       exec: [./probes/contrib/systemd-unit.sh, --job, backup.service]

set -u
export LC_ALL=C
job=no restarts_warn=3 restarts_fail='' user='' facts=''

finish() { # CODE MESSAGE
  printf '%s%s\n' "$(printf '%s' "$2" | tr '|\n' '/ ')" "${facts:+ |$facts}"
  exit "$1"
}

while [ $# -gt 0 ]; do
  case $1 in
    --job) job=yes; shift; continue ;;
    --user) user=--user; shift; continue ;;
    --restarts-warn | --restarts-fail) ;;
    --*) finish 3 "there is no setting $1" ;;
    *) break ;;
  esac
  [ $# -ge 2 ] || finish 3 "$1 needs a value"
  case $2 in '' | *[!0-9]*) finish 3 "$2 is not a whole number" ;; esac
  case $1 in
    --restarts-warn) restarts_warn=$2 ;;
    --restarts-fail) restarts_fail=$2 ;;
  esac
  shift 2
done
[ $# -eq 1 ] || finish 3 'name one unit'
unit=$1
command -v systemctl > /dev/null || finish 3 'there is no systemctl here'

answer=$(systemctl ${user:+"$user"} show --no-pager \
  --property=LoadState,ActiveState,SubState,Result,NRestarts,ExecMainStatus,ExecMainCode,StatusText -- "$unit" 2>&1) ||
  finish 3 "systemctl: $(printf '%s\n' "$answer" | sed -n 1p)"
property() { printf '%s\n' "$answer" | sed -n "s/^$1=//p"; }
load=$(property LoadState) active=$(property ActiveState) sub=$(property SubState) result=$(property Result)
restarts=$(property NRestarts) status=$(property ExecMainStatus) text=$(property StatusText)
[ -n "$active" ] || finish 3 "systemctl tells nothing of $unit: $(printf '%s\n' "$answer" | sed -n 1p)"
case $restarts in '' | *[!0-9]*) restarts=0 ;; esac
facts=" restarts=$restarts;$restarts_warn;$restarts_fail;0"

case $load in
  not-found) finish 2 "there is no unit $unit" ;;
  masked) finish 2 "$unit is masked" ;;
  error | bad-setting) finish 2 "the file of $unit is broken ($load)" ;;
esac
# What Result means: exit-code, signal, core-dump, watchdog, timeout, oom-kill, start-limit-hit, ...
why="$result${status:+, exit status $status}"
case $active/$sub in
  failed/*) finish 2 "$unit has failed ($why)" ;;
  activating/auto-restart*) finish 2 "$unit died ($why) and waits for restart $((restarts + 1))" ;;
  activating/* | reloading/* | deactivating/* | refreshing/*)
    [ "$job" = no ] || finish 0 "$unit runs"
    finish 1 "$unit is $active ($sub)"
    ;;
  inactive/*)
    [ "$job" = yes ] || finish 2 "$unit is not running"
    [ "$result" = success ] || finish 2 "the last run of $unit failed ($why)"
    finish 0 "the last run of $unit succeeded"
    ;;
esac
if [ -n "$restarts_fail" ] && [ "$restarts" -ge "$restarts_fail" ]; then finish 2 "$unit runs, after $restarts restarts"; fi
[ "$restarts" -lt "$restarts_warn" ] || finish 1 "$unit runs, after $restarts restarts"
finish 0 "$unit is $active ($sub)${text:+: $text}"
