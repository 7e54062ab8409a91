# shellcheck shell=sh
# Prints what is at URL.sha256, as a node reaches it.  python3, since nodes may have neither curl nor wget.
#   url   the archive's
python3 -c '
import sys, urllib.request
sys.stdout.buffer.write(urllib.request.urlopen(sys.argv[1], timeout=30).read(4096))
' "$url.sha256"
