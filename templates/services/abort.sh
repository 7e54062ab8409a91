# shellcheck shell=sh
# Ends the starts of the services $ids that are in flight on this node, which Pacemaker would wait for.
# The agent gives up as soon as its unit ends, once the probe that it waits for has ended.  Several rounds, since it may
# be just about to start the next probe.
ours() { case " $ids " in *" $1 "*) ;; *) return 1 ;; esac; }
abort() {
  starting='' probes=''
  for file in $(grep -lz '^OCF_RESOURCE_INSTANCE=' /proc/[0-9]*/environ 2>/dev/null); do
    process=${file#/proc/} process=${process%/environ}
    id=$({ tr '\0' '\n' <"$file"; } 2>/dev/null | sed -n 's/^OCF_RESOURCE_INSTANCE=//p' | head -n 1)
    ours "$id" || continue
    case $({ tr '\0' ' ' <"/proc/$process/cmdline"; } 2>/dev/null) in
      *'/sirikata/service start '*)
        starting=yes
        systemctl stop --no-block "sirikata-service-$id" 2>/dev/null || :
        ;;
      'timeout --kill-after=1 '*) probes="$probes $process" ;;
    esac
  done
  [ "$starting" ] || return 1
  [ -z "$probes" ] || kill $probes 2>/dev/null || :
}
for round in 1 2 3 4 5 6 7 8 9 10; do
  abort || break
  sleep 0.2
done
