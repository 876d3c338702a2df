#include "datasets/parcel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where the bytes of one sample are. */
typedef struct place {
    uint64_t offset, bytes;
    fsh_reason reason;
} place;

struct fsh_parcel {
    char *path;
    int file;
    uint64_t end; /* size of the file */
    uint64_t at;  /* while it is opened: how far it is read */
    fsh_unit unit;
    uint32_t samples_n;
    place *places;
};

static fsh_status
no_parcel(const fsh_parcel *parcel, fsh_err *err)
{
    return fsh_fail(err, FSH_FORMAT, "%s: not a whole parcel", parcel->path);
}

static fsh_status
read_at(const fsh_parcel *parcel, uint64_t offset, void *data, size_t bytes, fsh_err *err)
{
    uint8_t *to = data;

    while (bytes > 0) {
        ssize_t n = pread(parcel->file, to, bytes, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fsh_fail_errno(err, errno, "%s: cannot be read", parcel->path);
        if (n == 0)
            return no_parcel(parcel, err);
        to += n;
        offset += (uint64_t)n;
        bytes -= (size_t)n;
    }
    return FSH_OK;
}

static fsh_status
read_next(fsh_parcel *parcel, void *data, uint64_t bytes, fsh_err *err)
{
    fsh_status status = bytes <= parcel->end - parcel->at
                            ? read_at(parcel, parcel->at, data, (size_t)bytes, err)
                            : no_parcel(parcel, err);

    if (!status)
        parcel->at += bytes;
    return status;
}

static uint64_t
get_number(const uint8_t *bytes, int width)
{
    uint64_t number = 0;

    while (width-- > 0)
        number = number << 8 | bytes[width];
    return number;
}

static fsh_status
read_numbers(fsh_parcel *parcel, uint64_t numbers[FSH_PARCEL_NUMBERS], fsh_err *err)
{
    uint8_t head[FSH_PARCEL_MAGIC_BYTES + FSH_PARCEL_NUMBERS * 8];
    fsh_status status = read_next(parcel, head, sizeof head, err);
    int i;

    if (status)
        return status;
    if (memcmp(head, FSH_PARCEL_MAGIC, FSH_PARCEL_MAGIC_BYTES) != 0)
        return no_parcel(parcel, err);
    for (i = 0; i < FSH_PARCEL_NUMBERS; i++)
        numbers[i] = get_number(head + FSH_PARCEL_MAGIC_BYTES + 8 * i, 8);
    return FSH_OK;
}

/* One piece of memory as fsh_unit wants it: pointers, starts, names. No count is larger than the
 * file, so that a damaged one does not ask for more memory than there are bytes. */
static fsh_status
make_unit(fsh_parcel *parcel, const uint64_t numbers[FSH_PARCEL_NUMBERS], fsh_err *err)
{
    fsh_unit *unit = &parcel->unit;
    int i;

    for (i = 1; i < FSH_PARCEL_NUMBERS; i++)
        if (i != 3 && (numbers[i] > parcel->end || numbers[i] > UINT32_MAX / 2))
            return no_parcel(parcel, err);
    unit->number = (uint32_t)numbers[0];
    unit->identities_n = (uint32_t)numbers[1];
    unit->samples_n = parcel->samples_n = (uint32_t)numbers[2];
    unit->first_label = (int64_t)numbers[3];
    unit->memory = malloc((numbers[1] + numbers[2]) * sizeof(char *) +
                          (numbers[1] + 1) * sizeof(uint32_t) + numbers[4]);
    parcel->places = calloc(numbers[2] + 1, sizeof *parcel->places);
    if (!unit->memory || !parcel->places)
        return fsh_fail(err, FSH_MEMORY, "%s: out of memory", parcel->path);
    unit->identity_names = unit->memory;
    unit->sample_names = unit->identity_names + numbers[1];
    unit->identity_starts = (uint32_t *)(unit->sample_names + numbers[2]);
    return FSH_OK;
}

static fsh_status
read_starts(fsh_parcel *parcel, fsh_err *err)
{
    fsh_unit *unit = &parcel->unit;
    uint32_t *starts = unit->identity_starts, n = unit->identities_n, i;
    fsh_status status = read_next(parcel, starts, (n + UINT64_C(1)) * sizeof *starts, err);

    for (i = 0; i <= n && !status; i++) {
        starts[i] = (uint32_t)get_number((const uint8_t *)&starts[i], 4);
        if (starts[i] > unit->samples_n || (i > 0 && starts[i] < starts[i - 1]))
            status = no_parcel(parcel, err);
    }
    if (!status && (starts[0] != 0 || starts[n] != unit->samples_n))
        status = no_parcel(parcel, err);
    return status;
}

/* Points at n names, one behind the other; NULL where there are fewer before `end`. */
static char *
point_at(char **names, uint32_t n, char *at, const char *end)
{
    uint32_t i;

    for (i = 0; i < n; i++) {
        char *zero = at < end ? memchr(at, 0, (size_t)(end - at)) : NULL;

        if (!zero)
            return NULL;
        names[i] = at;
        at = zero + 1;
    }
    return at;
}

static fsh_status
read_names(fsh_parcel *parcel, uint64_t bytes, fsh_err *err)
{
    fsh_unit *unit = &parcel->unit;
    char *names = (char *)(unit->identity_starts + unit->identities_n + 1), *at;
    fsh_status status = read_next(parcel, names, bytes, err);

    if (status)
        return status;
    at = point_at(unit->identity_names, unit->identities_n, names, names + bytes);
    if (at)
        at = point_at(unit->sample_names, unit->samples_n, at, names + bytes);
    return at == names + bytes ? FSH_OK : no_parcel(parcel, err);
}

static fsh_status
find_places(fsh_parcel *parcel, fsh_err *err)
{
    fsh_status status = FSH_OK;
    uint32_t i;

    for (i = 0; i < parcel->samples_n && !status; i++) {
        uint8_t row[16];
        uint64_t reason, bytes;

        status = read_next(parcel, row, sizeof row, err);
        if (status)
            break;
        reason = get_number(row, 8);
        bytes = get_number(row + 8, 8);
        if (reason >= FSH_REASON_N || bytes > parcel->end - parcel->at)
            status = no_parcel(parcel, err);
        else
            parcel->places[i] = (place){parcel->at, bytes, (fsh_reason)reason};
        parcel->at += status ? 0 : bytes;
    }
    if (!status && parcel->at != parcel->end)
        status = no_parcel(parcel, err);
    return status;
}

static fsh_status
open_file(fsh_parcel *parcel, fsh_err *err)
{
    struct stat info;

    parcel->file = open(parcel->path, O_RDONLY | O_CLOEXEC);
    if (parcel->file < 0 || fstat(parcel->file, &info) != 0)
        return fsh_fail_errno(err, errno, "%s: cannot be opened", parcel->path);
    parcel->end = (uint64_t)info.st_size;
    return FSH_OK;
}

fsh_status
fsh_parcel_open(const char *path, fsh_parcel **parcel, fsh_err *err)
{
    fsh_parcel *opened = calloc(1, sizeof *opened);
    uint64_t numbers[FSH_PARCEL_NUMBERS];
    fsh_status status;

    if (!opened || !(opened->path = strdup(path))) {
        free(opened);
        return fsh_fail(err, FSH_MEMORY, "%s: out of memory", path);
    }
    opened->file = -1;
    status = open_file(opened, err);
    if (!status)
        status = read_numbers(opened, numbers, err);
    if (!status)
        status = make_unit(opened, numbers, err);
    if (!status)
        status = read_starts(opened, err);
    if (!status)
        status = read_names(opened, numbers[4], err);
    if (!status)
        status = find_places(opened, err);
    if (status)
        fsh_parcel_close(opened);
    else
        *parcel = opened;
    return status;
}

void
fsh_parcel_close(fsh_parcel *parcel)
{
    if (!parcel)
        return;
    if (parcel->file >= 0)
        close(parcel->file);
    fsh_unit_fini(&parcel->unit);
    free(parcel->places);
    free(parcel->path);
    free(parcel);
}

void
fsh_parcel_take_unit(fsh_parcel *parcel, fsh_unit *unit)
{
    *unit = parcel->unit;
    parcel->unit = (fsh_unit){0};
}

fsh_status
fsh_parcel_load(const fsh_parcel *parcel, uint32_t sample, uint8_t **data, size_t *bytes,
                fsh_reason *reason, fsh_err *err)
{
    const place *at = &parcel->places[sample];
    uint8_t *buffer;
    fsh_status status;

    if (at->reason != FSH_REASON_NONE) {
        *reason = at->reason;
        return FSH_OK;
    }
    buffer = malloc(at->bytes + 1);
    if (!buffer)
        return fsh_fail(err, FSH_MEMORY, "%s: out of memory", parcel->path);
    status = read_at(parcel, at->offset, buffer, at->bytes, err);
    if (status) {
        free(buffer);
        return status;
    }
    *data = buffer;
    *bytes = at->bytes;
    return FSH_OK;
}
