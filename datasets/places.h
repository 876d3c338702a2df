/* What the readers of large files share: where in them the samples lie, and whose they are, put
 * into the order of a scan. Memory: 24 bytes a sample and the names of identities.
 *
 * The name of such a sample tells its place: "NAME<tab>AT<tab>MORE". What stands before the tabs is
 * its name below the identity, what stands behind them is for the reader alone: so that any worker
 * finds a picture in a file of 90 GB by one read, without an index of its own. */
#ifndef FSH_DATASETS_PLACES_H
#define FSH_DATASETS_PLACES_H

#include "base/text.h"
#include "datasets/reader.h"

/* The identity of samples that do not say whose they are, last in the order of most names. Loading
 * one gives FSH_REASON_NO_LABEL, or what else is wrong with it. */
#define FSH_UNLABELLED "~unlabelled"

typedef struct fsh_place {
    uint64_t at;       /* byte of a file */
    uint64_t name;     /* for the reader: what its name is made from */
    uint32_t identity; /* by fsh_places_identity */
    uint32_t more;     /* for the reader */
} fsh_place;

typedef struct fsh_places {
    fsh_place *at;
    uint64_t n, room;
    fsh_text names; /* of identities, each with its zero byte */
    uint64_t *starts;
    uint32_t identities_n, identities_room;
    uint32_t *slots; /* of a hash table: identity + 1, or 0 */
    uint32_t slots_n;
    const fsh_scan_sink *sink; /* is told how many there are so far; may be NULL */
} fsh_places;

/* How a reader names its places. */
typedef struct fsh_place_kind {
    /* By byte order of name, and where names are equal by place in the input. */
    int (*compare)(const void *a, const void *b, void *self);
    void (*name)(void *self, const fsh_place *place, fsh_text *out);
    void (*more)(void *self, const fsh_place *place, fsh_text *out);
    /* Or NULL. Instead of the others: gives the n samples of an identity itself. */
    fsh_status (*give)(void *self, fsh_place *places, uint64_t n, const fsh_scan_sink *sink,
                       fsh_err *err);
} fsh_place_kind;

/* The number of an identity, a new one where the name is new. */
fsh_status fsh_places_identity(fsh_places *places, const char *name, size_t bytes,
                               uint32_t *identity, fsh_err *err);
fsh_status fsh_places_add(fsh_places *places, fsh_place place, fsh_err *err);

/* Gives identities by byte order, each with its samples in the kind's order; the second and later
 * of one name get a number behind it. */
fsh_status fsh_places_give(fsh_places *places, const fsh_place_kind *kind, void *self,
                           const fsh_scan_sink *sink, fsh_err *err);

void fsh_places_fini(fsh_places *places);

/* The name of a sample, taken apart. */
typedef struct fsh_place_name {
    size_t bytes; /* of the name itself */
    uint64_t at;
    const char *more; /* borrowed */
} fsh_place_name;

/* What is no name of a place is FORMAT. */
fsh_status fsh_place_parse(const char *sample, fsh_place_name *name, fsh_err *err);

/* fsh_reader.source of these readers: identity/NAME. */
fsh_status fsh_place_source(const char *identity, const char *sample, char path[FSH_PATH_BYTES],
                            fsh_err *err);

#endif
