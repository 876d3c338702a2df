/* attendance.csv: a row per person and visit, as it happens.
 *
 *     fsh_attendance_open("attendance.csv", true, &attendance, &err);
 *     fsh_attendance_row(&row, &ended);
 *     fsh_attendance_write(attendance, &ended, &under_way, &err);
 *     fsh_attendance_close(&attendance);
 *
 * The file ends with the rows of visits that are under way; these are written again and again.
 * Before that they are in a journal beside it (attendance.csv.open), on disk: whoever opens the
 * file after a kill or a power cut puts back what the journal has. Some space is reserved on the
 * disk, so that what is known when the disk fills up can still be written. Both files are made for
 * their owner only; the file is locked against a second writer.
 *
 * Rows that others add while it is open are kept. One that is replaced (an editor saves by
 * renaming) is opened again, and the rows of the visits under way are added to what it then has. */
#ifndef FSH_DOOR_ATTENDANCE_H
#define FSH_DOOR_ATTENDANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "base/text.h"

#define FSH_ATTENDANCE_HEADER "name,first_seen,last_seen,frames,best_distance,mask_worn\n"

typedef struct fsh_attendance_entry {
    const char *name; /* any bytes */
    const char *first_seen, *last_seen;
    uint64_t frames;
    double distance; /* not finite: none */
    int masked;      /* 1 yes, 0 no, -1 not known */
} fsh_attendance_entry;

/* Appends a row. A name with a comma, a quote or a line feed is quoted as RFC 4180 says. */
void fsh_attendance_row(const fsh_attendance_entry *entry, fsh_text *out);

typedef struct fsh_attendance fsh_attendance;

typedef struct fsh_attendance_found {
    uint64_t rows;      /* lines behind the header that were there, with these: */
    uint64_t recovered; /* rows of visits that were under way when a run was killed */
} fsh_attendance_found;

/* Opens or makes the file. USAGE where it has rows and `add` is false; BUSY where somebody else has
 * it open; FORMAT where it does not begin with the header. found may be NULL. */
fsh_status fsh_attendance_open(const char *path, bool add, fsh_attendance **attendance,
                               fsh_attendance_found *found, fsh_err *err);

/* Writes the rows of visits that have ended since the last call, and those under way, and waits for
 * the disk. FULL: the disk is; all rows are in the file as far as the reserve goes. */
fsh_status fsh_attendance_write(fsh_attendance *attendance, const fsh_text *ended,
                                const fsh_text *under_way, fsh_err *err);

/* What was under way stays as it was written last, as rows. NULL is fine. */
void fsh_attendance_close(fsh_attendance **attendance);

#endif
