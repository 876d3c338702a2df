/* Which cluster of an identity is its person. */
#include "stages/cleaning/measure.h"

/* The largest cluster of an identity that nobody else claims, `but` left out; *tied: there are
 * several. */
static uint32_t
largest_free(const fsh_homes *homes, uint32_t identity, uint32_t but, bool *tied)
{
    uint32_t found = FSH_NOBODY, i;

    *tied = false;
    for (i = homes->starts[identity]; i < homes->starts[identity + 1]; i++) {
        if (i == but || homes->away[i])
            continue;
        if (found == FSH_NOBODY || homes->sizes[i] > homes->sizes[found]) {
            found = i;
            *tied = false;
        } else if (homes->sizes[i] == homes->sizes[found]) {
            *tied = true;
        }
    }
    return found;
}

/* The cluster that an identity could have instead of this one: two pictures that agree, or at least
 * as many as in this one. */
static uint32_t
instead_of(const fsh_homes *homes, uint32_t cluster, bool *tied)
{
    uint32_t found = largest_free(homes, homes->owners[cluster], cluster, tied);

    if (found != FSH_NOBODY &&
        (homes->sizes[found] >= 2 || homes->sizes[found] >= homes->sizes[cluster]))
        return found;
    return FSH_NOBODY;
}

/* Two identities claim one person. Who has nobody else keeps it; if both have, the one with more
 * pictures of it. */
static uint32_t
choose_contested(const fsh_homes *homes, uint32_t cluster)
{
    uint32_t rival = homes->likest[cluster], mine, theirs;
    bool tied, tied_there;

    mine = instead_of(homes, cluster, &tied);
    theirs = instead_of(homes, rival, &tied_there);
    if (mine == FSH_NOBODY || (theirs != FSH_NOBODY && homes->sizes[rival] < homes->sizes[cluster]))
        return cluster;
    if (theirs != FSH_NOBODY && homes->sizes[rival] == homes->sizes[cluster])
        return FSH_NOBODY;
    return tied ? FSH_NOBODY : mine;
}

uint32_t
fsh_homes_choose(const fsh_homes *homes, uint32_t identity)
{
    uint32_t only = homes->lead[identity], found;
    bool tied;

    if (homes->starts[identity] == homes->starts[identity + 1])
        return FSH_NOBODY;
    if (only != FSH_NOBODY)
        return homes->away[only] ? choose_contested(homes, only) : only;
    found = largest_free(homes, identity, FSH_NOBODY, &tied);
    return found != FSH_NOBODY && !tied && fsh_homes_is_largest(homes, found) ? found : FSH_NOBODY;
}
