# shellcheck shell=sh
# Runs the script that standard input begins with, and marks where its outputs begin and end: what a login shell
# prints before or after is not its own.  The first line of standard input has the mark, the size of the script in
# bytes, and the seconds that it may take, or none; what follows the script is its input.
# All of it becomes one line of whatever shell the account has, so each line here is whole and ends with a semicolon.
read -r _mark _size _seconds;
_script=$(head -c "$_size"; echo .);
echo "$_mark";
echo "$_mark" >&2;
if [ -z "$_seconds" ]; then (eval "${_script%.}"); else { printf %s "${_script%.}" | timeout -k 5 "$_seconds" sh -c 'eval "$(cat <&3)"' 3<&0 0<&4 4<&-; } 4<&0; fi;
_code=$?;
echo "$_mark $_code";
echo "$_mark" >&2;
exit "$_code";
