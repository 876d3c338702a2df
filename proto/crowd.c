/* The listener belongs to libzmq, which has no limit and no way to pause. A socket filter that drops
 * every packet of the listening socket does it from outside: who comes now is not answered and tries
 * again, as TCP does. A unix socket has no such packets; only this user reaches it. */
#include "proto/crowd.h"

#include <linux/filter.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>

enum { CONNECTIONS_MAX = 4096, DESCRIPTORS = 4 * CONNECTIONS_MAX, BITS = 64 };

static uint32_t
raise_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return BITS;
    if (limit.rlim_cur < DESCRIPTORS && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max < DESCRIPTORS ? limit.rlim_max : DESCRIPTORS;
        setrlimit(RLIMIT_NOFILE, &limit);
        getrlimit(RLIMIT_NOFILE, &limit);
    }
    return limit.rlim_cur < DESCRIPTORS ? (uint32_t)limit.rlim_cur : DESCRIPTORS;
}

fsh_status
fsh_crowd_init(fsh_crowd *crowd, uint32_t max, fsh_err *err)
{
    uint32_t half = raise_descriptors() / 2;
    uint32_t most = half < CONNECTIONS_MAX ? half : CONNECTIONS_MAX;

    *crowd = (fsh_crowd){.listener = -1, .max = max && max < most ? max : most};
    crowd->there_n = DESCRIPTORS;
    crowd->there = calloc(DESCRIPTORS / BITS, sizeof *crowd->there);
    return crowd->there ? FSH_OK : fsh_fail(err, FSH_MEMORY, "no memory for connections");
}

void
fsh_crowd_fini(fsh_crowd *crowd)
{
    free(crowd->there);
    crowd->there = NULL;
}

static void
shut(fsh_crowd *crowd, bool now_shut)
{
    struct sock_filter drop = {BPF_RET | BPF_K, 0, 0, 0};
    struct sock_fprog all = {1, &drop};
    int option = now_shut ? SO_ATTACH_FILTER : SO_DETACH_FILTER;

    if (crowd->shut == now_shut || crowd->listener < 0)
        return;
    crowd->shut = now_shut;
    crowd->shut_n += now_shut;
    setsockopt(crowd->listener, SOL_SOCKET, option, &all, sizeof all);
}

static void
set(fsh_crowd *crowd, uint32_t descriptor, bool there)
{
    uint64_t bit = UINT64_C(1) << descriptor % BITS, *word;

    if (descriptor >= crowd->there_n)
        return;
    word = &crowd->there[descriptor / BITS];
    if (there == ((*word & bit) != 0))
        return;
    *word ^= bit;
    crowd->n += there ? 1 : UINT32_MAX; /* one more, or one less */
}

void
fsh_crowd_come(fsh_crowd *crowd, uint32_t descriptor)
{
    set(crowd, descriptor, true);
    if (crowd->n > crowd->most)
        crowd->most = crowd->n;
    if (crowd->n >= crowd->max)
        shut(crowd, true);
}

void
fsh_crowd_go(fsh_crowd *crowd, uint32_t descriptor)
{
    set(crowd, descriptor, false);
    if (crowd->n < crowd->max - crowd->max / 4)
        shut(crowd, false);
}
