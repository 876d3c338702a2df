#include "cli/summary.h"

#include <stdio.h>
#include <sys/resource.h>

#include "job/paths.h"

static void
print_rejected(const fsh_index_totals *totals)
{
    uint32_t i;

    for (i = 1; i < FSH_REASON_N; i++)
        if (totals->rejected[i])
            printf("    %-16s %9llu  %s\n", fsh_reason_code((fsh_reason)i),
                   (unsigned long long)totals->rejected[i], fsh_reason_text((fsh_reason)i));
}

static uint64_t
all_rejected(const fsh_index_totals *totals)
{
    uint64_t n = 0;
    uint32_t i;

    for (i = 1; i < FSH_REASON_N; i++)
        n += totals->rejected[i];
    return n;
}

/* HDF5 gives black pictures, and no error, where a process may not open all shards that index.h5 joins. */
static void
warn_of_open_files(uint32_t units)
{
    enum { OTHER_FILES = 100 };
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && (rlim_t)units + OTHER_FILES > limit.rlim_cur)
        printf("attention     index.h5 joins %u files, a process here may open %llu: say `ulimit -n %u` before reading it,\n"
               "              or pictures past that are black\n", units, (unsigned long long)limit.rlim_cur,
               units + OTHER_FILES);
}

void
fsh_summary_print(const fsh_job *job, const fsh_index_totals *totals, uint32_t units,
                  const fsh_coordinator_totals *served, double seconds)
{
    printf("samples in    %13llu  of %llu identities\n", (unsigned long long)totals->samples,
           (unsigned long long)totals->identities);
    printf("delivered     %13llu\n", (unsigned long long)totals->delivered);
    printf("rejected      %13llu\n", (unsigned long long)all_rejected(totals));
    print_rejected(totals);
    printf("pictures      %13llu  %u variant%s of %lld x %lld px\n", (unsigned long long)totals->images,
           job->variants_n, job->variants_n == 1 ? "" : "s", (long long)job->size, (long long)job->size);
    printf("shards        %13u  %.1f MB\n", units, (double)totals->bytes / 1e6);
    if (served && served->samples_done > served->samples_known)
        printf("time          %11.1f s  %.1f samples/s, %.1f pictures/s\n", seconds,
               (double)(served->samples_done - served->samples_known) / seconds,
               (double)(served->images - served->images_known) / seconds);
    printf("job           %.12s\n", job->hash);
    printf("output        %s/%s\n", job->output, FSH_PATH_INDEX);
    warn_of_open_files(units);
}

void
fsh_summary_print_json(const fsh_index_totals *totals, const fsh_coordinator_totals *served,
                       double seconds)
{
    const char *separator = "";
    uint32_t i;

    printf("{\"event\":\"done\",\"samples\":%llu,\"delivered\":%llu,\"images\":%llu,\"rejected\":{",
           (unsigned long long)totals->samples, (unsigned long long)totals->delivered,
           (unsigned long long)totals->images);
    for (i = 1; i < FSH_REASON_N; i++)
        if (totals->rejected[i]) {
            printf("%s\"%s\":%llu", separator, fsh_reason_code((fsh_reason)i),
                   (unsigned long long)totals->rejected[i]);
            separator = ",";
        }
    printf("},\"refused\":{\"connections\":%llu,\"keys\":%llu,\"workers\":%llu,\"messages\":%llu,"
           "\"broken_messages\":%llu,\"pieces\":%llu},\"seconds\":%.3f}\n",
           (unsigned long long)served->refused_connections, (unsigned long long)served->refused_keys,
           (unsigned long long)served->refused_workers, (unsigned long long)served->refused_messages,
           (unsigned long long)served->broken_messages, (unsigned long long)served->refused_pieces, seconds);
}

fsh_status
fsh_summary_judge(const fsh_job *job, const fsh_index_totals *totals, fsh_err *err)
{
    uint64_t bad = all_rejected(totals) - totals->rejected[FSH_REASON_NOT_SAMPLED];
    double share = totals->samples ? (double)bad / (double)totals->samples : 0;

    if (share <= job->max_rejected)
        return FSH_OK;
    return fsh_fail(err, FSH_REJECTED, "%.1f %% of the samples were rejected, limits.max_rejected is %.1f %%; "
                    "`faceshard inspect %s/%s` says why", 100 * share, 100 * job->max_rejected, job->output,
                    FSH_PATH_INDEX);
}
