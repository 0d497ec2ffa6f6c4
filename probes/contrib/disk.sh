#!/bin/sh
# disk.sh: is there room on this host's disks, in bytes and in inodes, and can they be written?
#
# It reads df and the kernel's mount table.
#
#   ok     everything is below the limits, and writable
#   warn   usage or inodes above their `warn` limit
#   fail   usage or inodes above their `fail` limit; a file system that became read-only; a path that is missing, or that
#          has to be a mount and is none
#   void   df is missing, or gives no sense
#
# Settings, in brackets what holds without them; then the paths [all local file systems].
#   --warn PERCENT         used [85]          --fail PERCENT         [95]
#   --inodes-warn PERCENT  used [85]          --inodes-fail PERCENT  [95]
#   --free-fail SIZE       less free is a failure, whatever the share; k, M or G (1024) [0]
#   --mounted              each path has to be a mount point itself
#   --read-only            file systems may be read-only
#
# Needs: df by POSIX; inodes, read-only and "all local" want Linux. No rights beyond reading the paths.
#
#   targets:
#     - name: disks
#       interval: 30s
#       timeout: 5s
#       exec: [./probes/contrib/disk.sh, --warn, "80", --mounted, /, /var/lib/postgresql]

set -u
export LC_ALL=C
warn=85 fail=95 inodes_warn=85 inodes_fail=95 free_fail=0 mounted=no read_only=no
facts='' fails='' warns='' fullest=0 where=''

finish() { # CODE MESSAGE
  printf '%s%s\n' "$(printf '%s' "$2" | tr '|\n' '/ ')" "${facts:+ |$facts}"
  exit "$1"
}
fails() { fails="$fails${fails:+; }$1"; }
warns() { warns="$warns${warns:+; }$1"; }
kibibytes() { # SIZE -> its KiB
  number=${1%[kMG]}
  case $number in '' | *[!0-9]*) return 1 ;; esac
  case $1 in
    *k) echo "$number" ;;
    *M) echo $((number * 1024)) ;;
    *G) echo $((number * 1048576)) ;;
    *) echo $((number / 1024)) ;;
  esac
}
pretty() { # KIB -> for people
  if [ "$1" -ge 1048576 ]; then echo "$(($1 / 1048576)) GiB"
  elif [ "$1" -ge 1024 ]; then echo "$(($1 / 1024)) MiB"
  else echo "$1 KiB"; fi
}

while [ $# -gt 0 ]; do
  case $1 in
    --mounted) mounted=yes; shift; continue ;;
    --read-only) read_only=yes; shift; continue ;;
    --warn | --fail | --inodes-warn | --inodes-fail | --free-fail) ;;
    --*) finish 3 "there is no setting $1" ;;
    *) break ;;
  esac
  [ $# -ge 2 ] || finish 3 "$1 needs a value"
  case $1 in
    --warn) warn=$2 ;;
    --fail) fail=$2 ;;
    --inodes-warn) inodes_warn=$2 ;;
    --inodes-fail) inodes_fail=$2 ;;
    --free-fail) free_fail=$2 ;;
  esac
  shift 2
done
for number in "$warn" "$fail" "$inodes_warn" "$inodes_fail"; do
  case $number in '' | *[!0-9]*) finish 3 "$number is not a whole number" ;; esac
done
kibibytes "$free_fail" > /dev/null || finish 3 "$free_fail is not a size: a whole number, with k, M or G behind it"
free_fail=$(kibibytes "$free_fail")
command -v df > /dev/null || finish 3 'there is no df here'

if [ $# -eq 0 ]; then
  # Memory and images are not disks: the former has no end to watch, the latter are full by nature.
  # shellcheck disable=SC2046 # mount points with spaces in them have to be named
  set -- $(df -P -l -x tmpfs -x devtmpfs -x overlay -x squashfs -x iso9660 -x efivarfs 2> /dev/null | awk 'NR > 1 { print $6 }')
  [ $# -gt 0 ] || set -- /
fi

for path do
  [ -e "$path" ] || { fails "$path does not exist"; continue; }
  # size, used, free (KiB), share, mount point
  line=$(df -P -k "$path" 2>&1 | awk 'NR == 2 { size = $2; used = $3; free = $4; share = $5; sub(/%/, "", share)
    sub(/^([^ ]+ +){5}/, ""); print size, used, free, share, $0 }')
  read -r size used free share mount << END
$line
END
  case ${size:-x}${used:-x}${free:-x} in *[!0-9]*) finish 3 "df gives no sense for $path: $line" ;; esac
  if [ "$mounted" = yes ] && [ "$mount" != "$path" ]; then fails "$path is not mounted"; continue; fi
  case $share in *[!0-9]* | '') share=0 ;; esac
  facts="$facts '$path'=${share}%;$warn;$fail;0;100 '$path free'=${free}KB"
  [ "$share" -lt "$fullest" ] || fullest=$share where=$path
  left="$path is full to $share %, $(pretty "$free") left"
  if [ "$share" -ge "$fail" ] || [ "$free" -lt "$free_fail" ]; then fails "$left"
  elif [ "$share" -ge "$warn" ]; then warns "$left"; fi
  # File systems without a fixed number of inodes show "-", or none at all.
  inodes=$(df -P -i "$path" 2> /dev/null | awk 'NR == 2 && $2 > 0 { sub(/%/, "", $5); print $5 }')
  case $inodes in
    '' | *[!0-9]*) ;;
    *)
      facts="$facts '$path inodes'=${inodes}%;$inodes_warn;$inodes_fail;0;100"
      if [ "$inodes" -ge "$inodes_fail" ]; then fails "$path has used $inodes % of its inodes"
      elif [ "$inodes" -ge "$inodes_warn" ]; then warns "$path has used $inodes % of its inodes"; fi
      ;;
  esac
  if [ "$read_only" = no ] && [ -r /proc/mounts ]; then
    # The last line of a mount point is the one that counts; the kernel writes its spaces as \040.
    options=$(MOUNT=$mount awk 'BEGIN { mount = ENVIRON["MOUNT"]; gsub(/ /, "\\040", mount) } $2 == mount { o = $4 } END { print o }' /proc/mounts)
    case ,$options, in *,ro,*) fails "$path is read-only" ;; esac
  fi
done
[ -z "$fails" ] || finish 2 "$fails${warns:+; $warns}"
[ -z "$warns" ] || finish 1 "$warns"
finish 0 "there is room: the fullest is $where with $fullest %"
