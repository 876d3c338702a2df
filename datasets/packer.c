#include "datasets/packer.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "datasets/parcel.h"

/* The stream is a row of parts: the head, then for every sample its row and its bytes. */
struct fsh_packer {
    const fsh_reader *reader;
    char *input;
    fsh_unit unit;
    fsh_text head;
    uint64_t part;     /* the next one */
    uint32_t identity; /* of the sample of that part */
    uint8_t row[16];
    uint8_t *photo; /* bytes of the sample that is given out; NULL where there are none */
    size_t photo_bytes;
    const uint8_t *at; /* what is left of the part that is given out */
    size_t left;
    uint64_t position; /* bytes given out since the start */
    fsh_hasher *hasher;
    fsh_hash hash; /* when ended */
    bool ended;
};

/* ---- the head ---- */

static void
put_number(uint8_t *bytes, uint64_t number, int width)
{
    int i;

    for (i = 0; i < width; i++)
        bytes[i] = (uint8_t)(number >> 8 * i);
}

static void
add_number(fsh_text *text, uint64_t number, int width)
{
    uint8_t bytes[8];

    put_number(bytes, number, width);
    fsh_text_add_bytes(text, bytes, (size_t)width);
}

static void
add_names(fsh_text *text, char *const *names, uint32_t n)
{
    uint32_t i;

    for (i = 0; i < n; i++)
        fsh_text_add_bytes(text, names[i], strlen(names[i]) + 1);
}

static uint64_t
bytes_of(char *const *names, uint32_t n)
{
    uint64_t bytes = 0;
    uint32_t i;

    for (i = 0; i < n; i++)
        bytes += strlen(names[i]) + 1;
    return bytes;
}

static void
write_head(const fsh_unit *unit, fsh_text *head)
{
    uint64_t names = bytes_of(unit->identity_names, unit->identities_n) +
                     bytes_of(unit->sample_names, unit->samples_n);
    uint32_t i;

    fsh_text_add_bytes(head, FSH_PARCEL_MAGIC, FSH_PARCEL_MAGIC_BYTES);
    add_number(head, unit->number, 8);
    add_number(head, unit->identities_n, 8);
    add_number(head, unit->samples_n, 8);
    add_number(head, (uint64_t)unit->first_label, 8);
    add_number(head, names, 8);
    for (i = 0; i <= unit->identities_n; i++)
        add_number(head, unit->identity_starts[i], 4);
    add_names(head, unit->identity_names, unit->identities_n);
    add_names(head, unit->sample_names, unit->samples_n);
}

/* ---- parts ---- */

static void
drop_photo(fsh_packer *packer)
{
    free(packer->photo);
    packer->photo = NULL;
    packer->photo_bytes = 0;
}

static fsh_status
start(fsh_packer *packer, fsh_err *err)
{
    fsh_hash unused;

    drop_photo(packer);
    if (packer->hasher)
        fsh_hasher_take(&packer->hasher, &unused);
    packer->part = packer->position = packer->left = 0;
    packer->identity = 0;
    packer->ended = false;
    return fsh_hasher_new(&packer->hasher) ? fsh_fail(err, FSH_MEMORY, "no memory for a parcel")
                                           : FSH_OK;
}

static fsh_status
load_sample(fsh_packer *packer, uint32_t sample, fsh_err *err)
{
    const fsh_unit *unit = &packer->unit;
    fsh_reason reason = FSH_REASON_NONE;
    fsh_status status;

    while (unit->identity_starts[packer->identity + 1] <= sample)
        packer->identity++;
    status = packer->reader->load(packer->input, unit->identity_names[packer->identity],
                                  unit->sample_names[sample], &packer->photo, &packer->photo_bytes,
                                  &reason, err);
    put_number(packer->row, reason, 8);
    put_number(packer->row + 8, packer->photo_bytes, 8);
    return status;
}

static void
give(fsh_packer *packer, const void *data, size_t bytes)
{
    packer->at = data;
    packer->left = bytes;
}

static fsh_status
next_part(fsh_packer *packer, fsh_err *err)
{
    uint64_t part = packer->part++;

    if (part == 0) {
        give(packer, packer->head.data, packer->head.bytes);
        return FSH_OK;
    }
    if (part % 2 == 0) {
        give(packer, packer->photo, packer->photo_bytes);
        return FSH_OK;
    }
    drop_photo(packer);
    if (part / 2 < packer->unit.samples_n) {
        give(packer, packer->row, sizeof packer->row);
        return load_sample(packer, (uint32_t)(part / 2), err);
    }
    packer->ended = true;
    fsh_hasher_take(&packer->hasher, &packer->hash);
    return FSH_OK;
}

/* Gives the next bytes, to nowhere where data is NULL. A reader that has failed is asked
 * anew by the next call. */
static fsh_status
produce(fsh_packer *packer, uint8_t *data, uint64_t room, uint64_t *made, fsh_err *err)
{
    fsh_status status = FSH_OK;

    *made = 0;
    while (*made < room && !packer->ended && !status) {
        size_t n = packer->left < room - *made ? packer->left : (size_t)(room - *made);

        if (packer->left == 0) {
            status = next_part(packer, err);
            continue;
        }
        if (data)
            memcpy(data + *made, packer->at, n);
        fsh_hasher_add(packer->hasher, packer->at, n);
        packer->at += n;
        packer->left -= n;
        packer->position += n;
        *made += n;
    }
    if (status)
        packer->position = UINT64_MAX; /* before which everything lies: the next call starts anew */
    return status;
}

fsh_status
fsh_packer_read(fsh_packer *packer, uint64_t offset, void *data, size_t room, size_t *bytes,
                fsh_err *err)
{
    uint64_t made = 0;
    fsh_status status = FSH_OK;

    if (!packer->hasher && !packer->ended)
        status = start(packer, err);
    if (!status && offset < packer->position)
        status = start(packer, err);
    if (!status && offset > packer->position)
        status = produce(packer, NULL, offset - packer->position, &made, err);
    if (!status && offset == packer->position)
        status = produce(packer, data, room, &made, err);
    else
        made = 0;
    if (!status)
        *bytes = (size_t)made;
    return status;
}

void
fsh_packer_sum(const fsh_packer *packer, uint64_t *bytes, fsh_hash *hash)
{
    *bytes = packer->position;
    *hash = packer->hash;
}

fsh_status
fsh_packer_new(const fsh_reader *reader, const char *input, fsh_unit *unit, fsh_packer **packer,
               fsh_err *err)
{
    fsh_packer *made = calloc(1, sizeof *made);

    if (!made) {
        fsh_unit_fini(unit);
        return fsh_fail(err, FSH_MEMORY, "no memory for a parcel");
    }
    made->unit = *unit;
    *unit = (fsh_unit){0};
    made->reader = reader;
    made->input = strdup(input);
    write_head(&made->unit, &made->head);
    if (!made->input || !fsh_text_ok(&made->head)) {
        fsh_packer_free(made);
        return fsh_fail(err, FSH_MEMORY, "no memory for a parcel");
    }
    *packer = made;
    return FSH_OK;
}

void
fsh_packer_free(fsh_packer *packer)
{
    fsh_hash unused;

    if (!packer)
        return;
    drop_photo(packer);
    if (packer->hasher)
        fsh_hasher_take(&packer->hasher, &unused);
    fsh_unit_fini(&packer->unit);
    fsh_text_fini(&packer->head);
    free(packer->input);
    free(packer);
}
