umask 077
cd @HERE@ 2>/dev/null || cd
program=@PROGRAM@
[ -x "$program" ] || program=$(command -v faceshard) || {
    echo "faceshard is not installed here: neither "@PROGRAM@" nor on the PATH; program=PATH in the list of hosts names it" >&2
    exit 3
}
keys=$(mktemp -d "${TMPDIR:-/tmp}/faceshard-XXXXXX") || exit 3
put() { printf '%s\n' "$2" >"$keys/$1"; }
@KEYS@
address=@ADDRESS@
# The coordinator is where this connection comes from.
if [ -z "$address" ]; then
    case ${SSH_CONNECTION%% *} in
    *:*) address="tcp://[${SSH_CONNECTION%% *}]:@PORT@" ;;
    *) address="tcp://${SSH_CONNECTION%% *}:@PORT@" ;;
    esac
fi
@ENVIRONMENT@
threads=@THREADS@
[ "$threads" -gt 0 ] || threads=$(($(nproc) / @WORKERS@))
[ "$threads" -gt 0 ] || threads=1
exec 3<&0
workers=
number=0
while [ "$number" -lt @WORKERS@ ]; do
    "$program" worker "$address" --keys "$keys" --threads "$threads" --grace @GRACE@ --parent $$ @OPTIONS@ </dev/null 3<&- &
    workers="$workers $!"
    number=$((number + 1))
done
# Nothing comes on standard input; it ends with the connection.
{ while read -r nothing; do :; done <&3; kill -TERM $workers; } >/dev/null 2>&1 &
watch=$!
trap 'kill -TERM $workers 2>/dev/null' HUP INT TERM
code=0
for worker in $workers; do
    while kill -0 "$worker" 2>/dev/null; do wait "$worker"; done
    wait "$worker" || code=$?
done
kill "$watch" 2>/dev/null
rm -rf "$keys"
exit "$code"
