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
# Looks after one worker: one that is killed is started again, later each time; one that ends by itself has said why. A shell of
# its own, for a worker must not outlive its parent, and others run on.
keep='
    ended= deaths=0
    trap "ended=1; kill -TERM \$worker 2>/dev/null" TERM
    trap "" HUP INT
    while :; do
        begun=$(date +%s)
        "$@" --parent $$ </dev/null 3<&- &
        worker=$!
        [ -z "$ended" ] || kill -TERM "$worker"
        while kill -0 "$worker" 2>/dev/null; do wait "$worker"; code=$?; done
        [ $(($(date +%s) - begun)) -lt 60 ] || deaths=0
        deaths=$((deaths + 1))
        [ -z "$ended" ] && [ "$code" -gt 130 ] && [ "$deaths" -lt 8 ] || exit "$code"
        echo "a worker was killed by signal $((code - 128)), and is started again" >&2
        sleep $((1 << (deaths - 1))) 3<&- &
        worker=$!
        wait "$worker"
        [ -z "$ended" ] || exit "$code"
    done'
exec 3<&0
workers=
number=0
while [ "$number" -lt @WORKERS@ ]; do
    sh -c "$keep" sh "$program" worker "$address" --keys "$keys" --threads "$threads" --grace @GRACE@ @OPTIONS@ &
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
