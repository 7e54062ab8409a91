# shellcheck shell=sh
# One run of the agent, watched to its end.  Prints `exit CODE`, then the report; the run's log goes to stderr.
set +e
umask 077
if ! command -v puppet >/dev/null; then echo 'there is no Puppet agent here' >&2; exit 127; fi
dir=$(mktemp -d /run/sirikata-cluster-run.XXXXXX) || exit 1
# Whatever happens, the daemon runs again afterwards.
trap 'rm -rf "$dir"; systemctl start --no-block puppet.service' EXIT
trap 'exit 129' HUP INT TERM PIPE
systemctl stop puppet.service

# In place of settings in the node's puppet.conf with which a run would leave things out and still succeed, ask another
# server, or say nothing.  Puppet documentation, "Configuration reference".
ours='--no-noop --tags= --skip_tags= --no-use_cached_catalog --no-usecacheonfailure --no-strict_environment_mode
  --pluginsync --server_list= --no-use_srv_records --report --logdest console'

# The report is written to a file of this run's own: if it exists, it is of this run.  Stopping the daemon leaves a run of
# its own going; agents before Puppet 7 cannot wait for that (waitforlock), so this loop does.  If that run ends while
# Puppet looks up whose lock it is, Puppet fails and quotes ps.
for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  puppet agent --onetime --no-daemonize --verbose --detailed-exitcodes $ours --no-splay \
    --no-show_diff --color=false --waitforcert 0 --lastrunreport "$dir/report.yaml" \
    </dev/null >"$dir/log" 2>&1
  code=$?
  if [ "$code" != 1 ] || ! grep -q -e 'already in progress' -e "Execution of 'ps " "$dir/log"; then break; fi
  sleep "$((try / 2 + 1))"
done
echo "exit $code"
tail -n 40 "$dir/log" | cut -c1-600 >&2
cat "$dir/report.yaml" 2>/dev/null || true
