/* RecordIO as MXNet and insightface write it: a record is a magic number, its length with three
 * flag bits, the payload, and zeros up to a multiple of four bytes. A payload that holds the magic
 * number at such a place is cut there into parts, each a record of its own, and the magic number is
 * left out: it is put back between them. An image record's payload is a header (flag, label, id,
 * id2), `flag` further labels, and the file of the picture. Numbers are little endian. */
#ifndef FSH_DATASETS_RECORDS_H
#define FSH_DATASETS_RECORDS_H

#include <stdbool.h>

#include "base/reason.h"
#include "datasets/window.h"

#define FSH_RECORD_MAGIC 0xced7230aU
enum {
    FSH_RECORD_HEADER = 24,                   /* bytes: u32 flag, f32 label, u64 id, u64 id2 */
    FSH_RECORD_FIRST = FSH_RECORD_HEADER + 8, /* and two labels */
    FSH_RECORD_PART_MAX = (1 << 29) - 1       /* bytes of a part */
};

/* The beginning of a record. */
typedef struct fsh_record {
    uint64_t at, end; /* where it begins, and the next one */
    uint64_t bytes;   /* of the payload */
    bool whole;       /* all parts are there */
    uint8_t first[FSH_RECORD_FIRST];
    size_t first_n; /* bytes of first that there are */
} fsh_record;

/* Looks at the record at a place: its parts, and the first bytes of its payload. What is none is
 * not whole and has no bytes. */
fsh_status fsh_record_look(fsh_window *window, uint64_t at, fsh_record *record, fsh_err *err);

/* The place of the next record behind a damaged one, or the size of the file. */
fsh_status fsh_record_resume(fsh_window *window, uint64_t at, uint64_t *next, fsh_err *err);

/* Reads the payload into *data (caller frees). One that is cut or too large is a reason. */
fsh_status fsh_record_read(fsh_window *window, uint64_t at, uint8_t **data, size_t *bytes,
                           fsh_reason *reason, fsh_err *err);

/* What the header of an image record says. */
typedef struct fsh_record_head {
    uint32_t flag;
    uint64_t id;
    double label;    /* the scalar, or the first of several */
    double last;     /* the second of several; otherwise NaN */
    uint64_t header; /* bytes before the picture */
} fsh_record_head;

/* False where the payload is too short for what it says. */
bool fsh_record_head_read(const uint8_t *first, size_t first_n, uint64_t bytes,
                          fsh_record_head *head);

#endif
