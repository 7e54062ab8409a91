# shellcheck shell=sh
# Prints the path of each file that is missing or has another checksum.  Standard input: `CHECKSUM  PATH`.
sha256sum --check 2>/dev/null | sed -n 's/: FAILED\( open or read\)\{0,1\}$//p' || true
