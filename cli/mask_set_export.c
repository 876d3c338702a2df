/* From the shards of a round to the pictures of a mask set. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/mask_set.h"
#include "shards/read.h"

enum { AS_IT_IS, MASKED, VARIANTS_N };

/* One picture of the round. */
typedef struct place {
    const char *source;
    uint8_t variant;
    uint64_t row;
} place;

/* What index.h5 of a round has. */
typedef struct round_pictures {
    fsh_shard_file *file;
    const char *path;
    char **sources; /* what the places point into */
    place *places;  /* by source and variant */
    size_t n;
} round_pictures;

static int
compare_places(const void *a, const void *b)
{
    const place *x = a, *y = b;
    int order = strcmp(x->source, y->source);

    return order ? order : (x->variant > y->variant) - (x->variant < y->variant);
}

static fsh_status
read_places(round_pictures *from, fsh_err *err)
{
    uint8_t *variants;
    fsh_status status;
    size_t i;

    from->n = (size_t)fsh_shard_get_info(from->file)->rows[FSH_TABLE_ROWS];
    from->places = calloc(from->n + 1, sizeof *from->places);
    variants = malloc(from->n + 1);
    status = from->places && variants ? FSH_OK
                                      : fsh_fail(err, FSH_MEMORY, "%s: out of memory", from->path);
    if (!status)
        status = fsh_shard_read(from->file, FSH_COLUMN_VARIANT, 0, from->n, variants, err);
    if (!status)
        status =
            fsh_shard_read_texts(from->file, FSH_COLUMN_SOURCE, 0, from->n, &from->sources, err);
    for (i = 0; i < from->n && !status; i++)
        from->places[i] = (place){from->sources[i], variants[i], i};
    if (!status && from->n)
        qsort(from->places, from->n, sizeof *from->places, compare_places);
    free(variants);
    return status;
}

/* The picture of a photograph in this variant, or NULL where it could not be made. */
static const place *
find_place(const round_pictures *from, const fsh_candidate *person, uint32_t k, uint8_t variant)
{
    char source[FSH_PATH_BYTES];
    place key = {source, variant, 0};

    if (k >= person->n || fsh_candidate_place(person, k, source, NULL))
        return NULL;
    return bsearch(&key, from->places, from->n, sizeof key, compare_places);
}

/* ---- one picture ---- */

/* A file name that a name of any bytes but control characters has for itself. */
static void
add_file_name(const char *name, fsh_text *out)
{
    const char *at;

    for (at = name; *at; at++) {
        if (*at == '/' || *at == '%' || (*at == '.' && at == name))
            fsh_text_addf(out, "%%%02X", (unsigned)*at);
        else
            fsh_text_add_bytes(out, at, 1);
    }
}

static fsh_status
write_bytes(const char *path, const uint8_t *data, size_t bytes, fsh_err *err)
{
    FILE *file = fopen(path, "we");
    bool failed;

    if (!file)
        return fsh_fail_errno(err, errno, "%s: cannot be made", path);
    failed = fwrite(data, 1, bytes, file) != bytes;
    failed |= fclose(file) != 0;
    return failed ? fsh_fail_errno(err, errno, "%s: cannot be written", path) : FSH_OK;
}

/* Where a shard is missing HDF5 gives a picture of no bytes. */
static fsh_status
copy_picture(const round_pictures *from, uint64_t row, const char *folder, const char *name,
             fsh_err *err)
{
    char path[FSH_PATH_BYTES];
    uint8_t *data = NULL;
    size_t bytes = 0;
    fsh_status status = fsh_path_join(path, folder, name, err);

    if (!status)
        status = fsh_shard_read_picture(from->file, row, &data, &bytes, err);
    if (!status && !bytes)
        status = fsh_fail(
            err, FSH_IO,
            "%s: a picture cannot be had from its shard; remove the folder that it lies in and "
            "run the same command again",
            from->path);
    if (!status)
        status = write_bytes(path, data, bytes, err);
    free(data);
    return status;
}

/* Writes one picture, and appends it to names.tsv and to mask-set.json. */
static fsh_status
write_picture(const round_pictures *from, const fsh_candidate *person, uint32_t k,
              const place *picture, const char *file, const char *folder, fsh_text *names,
              fsh_text *people, fsh_err *err)
{
    fsh_status status = copy_picture(from, picture->row, folder, file, err);

    fsh_text_addf(names, "%s\t%s\n", strchr(file, '/') + 1, person->name);
    fsh_text_add(people, "{\"file\": ");
    fsh_text_add_json(people, file);
    fsh_text_add(people, ", \"source\": ");
    fsh_text_add_json(people, person->sources[k]);
    fsh_text_add(people, "}");
    return status;
}

/* ---- one person ---- */

/* Which photographs are used: the gallery's, and those of the probes. */
typedef struct choice {
    uint32_t gallery, *probes, probes_n;
} choice;

/* The first that are usable, in the order of the lots. False where they are too few. */
static bool
choose(const fsh_mask_set *set, const round_pictures *from, const fsh_candidate *person,
       choice *out)
{
    bool same = set->probe == FSH_MASK_PROBE_SAME;
    uint32_t k = 0, most = same ? 1 : (uint32_t)set->probes;

    while (k < person->n && !(find_place(from, person, k, AS_IT_IS) &&
                              (!same || find_place(from, person, k, MASKED))))
        k++;
    out->gallery = k;
    out->probes_n = 0;
    for (k += !same; k < person->n && out->probes_n < most; k++)
        if (find_place(from, person, k, MASKED))
            out->probes[out->probes_n++] = k;
    return out->probes_n > 0;
}

static fsh_status
write_person(fsh_mask_set *set, const round_pictures *from, const fsh_candidate *person,
             const choice *chosen, const char *folder, fsh_err *err)
{
    fsh_text file = {0};
    fsh_status status;
    uint32_t i;

    fsh_text_addf(&set->people, "%s\n    {\"name\": ", set->made ? "," : "");
    fsh_text_add_json(&set->people, person->name);
    fsh_text_add(&set->people, ", \"gallery\": ");
    fsh_text_add(&file, "gallery/");
    add_file_name(person->name, &file);
    fsh_text_add(&file, ".png");
    status = write_picture(from, person, chosen->gallery,
                           find_place(from, person, chosen->gallery, AS_IT_IS), fsh_text_get(&file),
                           folder, &set->gallery_names, &set->people, err);
    fsh_text_add(&set->people, ", \"probes\": [");
    for (i = 0; i < chosen->probes_n && !status; i++) {
        uint32_t k = chosen->probes[i];

        fsh_text_clear(&file);
        fsh_text_add(&file, "probes/");
        add_file_name(person->name, &file);
        fsh_text_addf(&file, "_%u.png", i + 1);
        fsh_text_add(&set->people, i ? ", " : "");
        status = write_picture(from, person, k, find_place(from, person, k, MASKED),
                               fsh_text_get(&file), folder, &set->names, &set->people, err);
    }
    fsh_text_add(&set->people, "]}");
    fsh_text_fini(&file);
    set->made++;
    set->pictures += chosen->probes_n;
    return status;
}

static void
skip(fsh_mask_set *set, const fsh_candidate *person)
{
    fsh_text_add(&set->skipped_names, set->skipped ? ", " : "");
    fsh_text_add_json(&set->skipped_names, person->name);
    set->skipped++;
}

/* names.tsv, which says who is who, cannot have such a name. */
static bool
can_be_listed(const char *name)
{
    return !strpbrk(name, "\t\n\r");
}

static fsh_status
write_people(fsh_mask_set *set, const fsh_candidates *from, uint32_t first, uint32_t end,
             const round_pictures *pictures, const char *folder, fsh_err *err)
{
    choice chosen = {0, calloc((size_t)set->probes + 1, sizeof *chosen.probes), 0};
    fsh_status status = chosen.probes ? FSH_OK : fsh_fail(err, FSH_MEMORY, "out of memory");
    fsh_progress progress;
    uint32_t i;

    fsh_progress_start(&progress, (fsh_log_mode)set->log);
    for (i = first; i < end && set->made < (uint64_t)set->identities && !status; i++) {
        const fsh_candidate *person = &from->at[i];

        fsh_progress_at(&progress, "writing people", set->made, (uint64_t)set->identities);
        if (can_be_listed(person->name) && choose(set, pictures, person, &chosen))
            status = write_person(set, pictures, person, &chosen, folder, err);
        else
            skip(set, person);
    }
    fsh_progress_clear(&progress);
    free(chosen.probes);
    return status;
}

fsh_status
fsh_mask_set_export(fsh_mask_set *set, const fsh_candidates *from, uint32_t first, uint32_t end,
                    const char *index, const char *folder, fsh_err *err)
{
    round_pictures pictures = {.path = index};
    fsh_status status = fsh_shard_open(index, &pictures.file, err);

    if (!status)
        status = read_places(&pictures, err);
    if (!status)
        status = write_people(set, from, first, end, &pictures, folder, err);
    fsh_shard_close(&pictures.file);
    free(pictures.places);
    free(pictures.sources);
    return status;
}
