/* Who is in a gallery, and who is not any more. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/gallery.h"
#include "door/enrol.h"
#include "evaluate/people.h"

/* Rows of one person. */
typedef struct holding {
    uint64_t pictures, twins[FSH_TWINS_N];
} holding;

static void
count(const fsh_embeddings *e, const fsh_people *people, holding *of)
{
    fsh_twin_kind kind;
    uint64_t i;

    for (i = 0; i < e->n; i++) {
        holding *person = &of[people->of_rows[i]];

        if (fsh_enrol_is_twin(e->sources[i], &kind))
            person->twins[kind]++;
        else
            person->pictures++;
    }
}

static void
print_words(const fsh_embeddings *e, const fsh_people *people, const holding *of)
{
    fsh_text text = {0};
    uint32_t i;

    for (i = 0; i < people->n; i++) {
        fsh_text_clear(&text);
        fsh_text_add_visible(&text, people->names[i]);
        printf("%9" PRIu64 " %9" PRIu64 "  %s\n", of[i].pictures,
               of[i].twins[0] + of[i].twins[1] + of[i].twins[2], fsh_text_get(&text));
    }
    fsh_text_fini(&text);
    printf("%" PRIu32 " people (pictures, twins, name); model %s, %u numbers a row\n", people->n,
           e->model, e->dimension);
}

static void
print_json(const fsh_embeddings *e, const fsh_people *people, const holding *of)
{
    fsh_text text = {0};
    uint32_t i;
    int kind;

    fsh_text_add(&text, "{\"model\":");
    fsh_text_add_json(&text, e->model);
    fsh_text_addf(&text, ",\"rows\":%" PRIu64 ",\"people\":[", e->n);
    for (i = 0; i < people->n; i++) {
        fsh_text_add(&text, i ? ",\n{\"name\":" : "\n{\"name\":");
        fsh_text_add_json(&text, people->names[i]);
        fsh_text_addf(&text, ",\"pictures\":%" PRIu64, of[i].pictures);
        for (kind = 0; kind < FSH_TWINS_N; kind++)
            fsh_text_addf(&text, ",\"%s\":%" PRIu64, fsh_twin_names[kind], of[i].twins[kind]);
        fsh_text_add(&text, "}");
    }
    fsh_text_add(&text, "]}\n");
    printf("%s", fsh_text_get(&text));
    fsh_text_fini(&text);
}

static fsh_status
list(const fsh_embeddings *e, bool json, fsh_err *err)
{
    fsh_people people = {0};
    holding *of = NULL;
    fsh_status status = fsh_people_init(&people, e->names, (uint32_t)e->n, err);

    if (!status && !(of = calloc(people.n + 1ul, sizeof *of)))
        status = fsh_fail(err, FSH_MEMORY, "out of memory");
    if (!status) {
        count(e, &people, of);
        (json ? print_json : print_words)(e, &people, of);
    }
    free(of);
    fsh_people_fini(&people);
    return status;
}

fsh_status
fsh_gallery_list(const fsh_gallery_options *options, const char *path, fsh_err *err)
{
    fsh_embeddings e = {0};
    fsh_status status = fsh_embeddings_read(path, &e, err);

    if (!status)
        status = list(&e, options->json, err);
    fsh_embeddings_fini(&e);
    return status;
}

/* Takes the rows of a name out, where they are; the memory stays. */
static uint64_t
take_out(fsh_embeddings *e, const char *name)
{
    size_t bytes = e->dimension * sizeof *e->vectors;
    uint64_t i, kept = 0, removed;

    for (i = 0; i < e->n; i++) {
        if (strcmp(e->names[i], name) == 0)
            continue;
        e->names[kept] = e->names[i];
        e->sources[kept] = e->sources[i];
        memmove((char *)e->vectors + kept++ * bytes, (char *)e->vectors + i * bytes, bytes);
    }
    removed = e->n - kept;
    e->n = kept;
    for (i = kept = 0; i < e->rejected_n; i++) {
        if (strcmp(e->rejected_names[i], name) == 0)
            continue;
        e->rejected_names[kept] = e->rejected_names[i];
        e->rejected_sources[kept] = e->rejected_sources[i];
        e->rejected_reasons[kept] = e->rejected_reasons[i];
        e->rejected_values[kept++] = e->rejected_values[i];
    }
    removed += e->rejected_n - kept;
    e->rejected_n = kept;
    return removed;
}

/* All of them, or nothing is changed. */
fsh_status
fsh_gallery_remove(const char *path, const char *const *names, uint32_t n, fsh_err *err)
{
    fsh_embeddings e = {0};
    fsh_status status = fsh_embeddings_read(path, &e, err);
    uint64_t removed = 0;
    uint32_t i;

    for (i = 0; i < n && !status; i++) {
        uint64_t of_name = take_out(&e, names[i]);

        removed += of_name;
        if (!of_name)
            status = fsh_fail(err, FSH_USAGE,
                              "%s: nobody is called '%s' there (`faceshard gallery list %s`); "
                              "nothing is removed",
                              path, names[i], path);
    }
    if (!status)
        status = fsh_embeddings_write(path, &e, err);
    if (!status)
        printf("removed %" PRIu64 " rows of %" PRIu32 " people; %" PRIu64 " are left\n", removed, n,
               e.n);
    fsh_embeddings_fini(&e);
    return status;
}
