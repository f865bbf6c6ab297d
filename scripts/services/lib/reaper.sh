#!/bin/sh
# Stops servers and removes their folders once the process that started them is gone, however it
# ended: that process holds the other end of this one's standard input. Lines:
#   run PID SIGNAL    a process group that was started, and the signal that ends it
#   ended PID         it has ended
#   folder PATH       a temporary folder
#   removed PATH      it was removed
trap '' INT TERM HUP
groups=' '
folders=' '
while read -r verb one two; do
  case $verb in
    run) groups="$groups$one:$two " ;;
    ended)
      kept=' '
      for group in $groups; do [ "${group%%:*}" = "$one" ] || kept="$kept$group "; done
      groups=$kept ;;
    folder) case $one in */netjail-*) folders="$folders$one " ;; esac ;;
    removed)
      kept=' '
      for folder in $folders; do [ "$folder" = "$one" ] || kept="$kept$folder "; done
      folders=$kept ;;
  esac
done
for group in $groups; do kill -s "${group#*:}" -- "-${group%%:*}" 2>/dev/null; done
for group in $groups; do
  waited=0
  while kill -s 0 -- "-${group%%:*}" 2>/dev/null; do
    [ $waited -lt 30 ] || { kill -s KILL -- "-${group%%:*}" 2>/dev/null; break; }
    waited=$((waited + 1))
    sleep 0.1
  done
done
for folder in $folders; do rm -rf -- "$folder"; done
