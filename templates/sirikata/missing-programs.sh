# shellcheck shell=sh
# Standard input: paths of programs, one a line.  Prints those that this node lacks.
while read -r program; do
  [ -x "$program" ] || printf '%s\n' "$program"
done
