me=${SLURM_ARRAY_JOB_ID:+${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID}
me=${me:-$SLURM_JOB_ID}

# Runs a command so that it hears of the time limit (USR1, by --signal), of a preemption and of scancel (both TERM).
guard() {
    "$@" & child=$!
    trap 'kill -TERM "$child" 2>/dev/null' TERM INT USR1
    wait "$child"
    while kill -0 "$child" 2>/dev/null; do wait "$child"; done
    wait "$child"
    local code=$?
    trap - TERM INT USR1
    return "$code"
}

# Puts this job back into the queue and ends. A job that was cancelled is not RUNNING any more, and just ends.
again() {
    if [ "${SLURM_RESTART_COUNT:-0}" -lt 100 ] && timeout 30 scontrol show job "$me" | grep -q 'JobState=RUNNING'; then
        echo "$(date +%FT%T) $1: back into the queue"
        timeout 30 scontrol requeue "$me" && sleep 60
    fi
    exit "$code"
}
