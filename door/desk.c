#include "door/desk.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "door/tracker.h"

/* Rows of visits under way are brought up to date so often. */
enum { WRITE_EVERY_MS = 1000 };

/* A visit as it was told last. */
typedef struct told {
    uint64_t number;
    fsh_called called;
} told;

struct fsh_desk {
    fsh_desk_options options;
    const fsh_known *known;
    fsh_tracker *tracker;
    fsh_visits *visits;
    fsh_attendance *attendance; /* NULL: none is kept */
    uint64_t *tracks;
    uint32_t tracks_room;
    told *told; /* of the visits under way, in their order */
    uint32_t told_n;
    fsh_text ended, under_way, written; /* rows */
    uint64_t written_ms;
    fsh_desk_counts counts;
};

static uint64_t
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

void
fsh_desk_time(bool clock, double seconds, fsh_text *out)
{
    char text[40], zone[8];
    time_t whole = (time_t)floor(seconds);
    struct tm local;

    if (clock) {
        localtime_r(&whole, &local);
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &local);
        strftime(zone, sizeof zone, "%z", &local);
        fsh_text_addf(out, "%s%.3s:%s", text, zone, zone + 3);
    } else {
        uint64_t ms = (uint64_t)llround(seconds * 1000);

        fsh_text_addf(out, "%02" PRIu64 ":%02" PRIu64 ":%02" PRIu64 ".%03" PRIu64, ms / 3600000,
                      ms / 60000 % 60, ms / 1000 % 60, ms % 1000);
    }
}

void
fsh_desk_call(const fsh_desk *desk, const fsh_called *called, char words[FSH_CALL_BYTES])
{
    words[0] = '\0';
    if (called->person != FSH_NOBODY)
        snprintf(words, FSH_CALL_BYTES, "%s", fsh_known_name(desk->known, called->person));
    else if (called->stranger)
        snprintf(words, FSH_CALL_BYTES, "unknown %u", called->stranger);
}

fsh_status
fsh_desk_open(const fsh_desk_options *options, const fsh_known *known, fsh_desk **desk,
              fsh_attendance_found *found, fsh_err *err)
{
    const fsh_tracker_options tracker = {options->dimension, options->threshold, options->pause_s};
    const fsh_visits_options visits = {options->dimension, options->threshold, options->agree,
                                       options->settle_s, options->pause_s};
    fsh_desk *made = calloc(1, sizeof *made);
    fsh_status status;

    if (!made)
        return fsh_fail(err, FSH_MEMORY, "out of memory");
    made->options = *options;
    made->known = known;
    status = fsh_tracker_new(&tracker, &made->tracker, err);
    if (!status)
        status = fsh_visits_new(&visits, &made->visits, err);
    if (!status && options->attendance[0])
        status =
            fsh_attendance_open(options->attendance, options->add, &made->attendance, found, err);
    if (status)
        fsh_desk_close(&made);
    else
        *desk = made;
    return status;
}

void
fsh_desk_close(fsh_desk **desk)
{
    fsh_desk *of = *desk;

    if (!of)
        return;
    fsh_tracker_free(of->tracker);
    fsh_visits_free(of->visits);
    fsh_attendance_close(&of->attendance);
    free(of->tracks);
    free(of->told);
    fsh_text_fini(&of->ended);
    fsh_text_fini(&of->under_way);
    fsh_text_fini(&of->written);
    free(of);
    *desk = NULL;
}

/* A visit as a row; its times live in first and last. */
static fsh_attendance_entry
entry_of(const fsh_desk *desk, const fsh_visit *visit, char words[FSH_CALL_BYTES], fsh_text *first,
         fsh_text *last)
{
    const fsh_called called = {visit->person, visit->stranger};

    fsh_text_clear(first);
    fsh_text_clear(last);
    fsh_desk_call(desk, &called, words);
    fsh_desk_time(desk->options.clock, visit->first_s, first);
    fsh_desk_time(desk->options.clock, visit->last_s, last);
    return (fsh_attendance_entry){words,         fsh_text_get(first), fsh_text_get(last),
                                  visit->frames, visit->distance,     fsh_visit_masked(visit)};
}

static void
tell(fsh_desk *desk, fsh_desk_event event, const fsh_attendance_entry *entry)
{
    if (desk->options.tell)
        desk->options.tell(desk->options.self, event, entry);
}

/* Whether a visit is new, or has another name than it was told by: FSH_DESK_WENT where neither. */
static fsh_desk_event
news_of(const fsh_desk *desk, const fsh_visit *visit)
{
    uint32_t i;

    for (i = 0; i < desk->told_n && desk->told[i].number != visit->number; i++)
        ;
    if (i == desk->told_n)
        return FSH_DESK_CAME;
    return desk->told[i].called.person != visit->person ||
                   desk->told[i].called.stranger != visit->stranger
               ? FSH_DESK_RENAMED
               : FSH_DESK_WENT;
}

static void
tell_of(fsh_desk *desk, const fsh_visit *visit, const fsh_attendance_entry *entry)
{
    fsh_desk_event news = news_of(desk, visit);

    if (news != FSH_DESK_WENT)
        tell(desk, news, entry);
    if (!visit->ended)
        return;
    tell(desk, FSH_DESK_WENT, entry);
    desk->counts.visits++;
    desk->counts.of_unknown += visit->person == FSH_NOBODY;
}

static fsh_status
remember(fsh_desk *desk, fsh_err *err)
{
    uint32_t n = fsh_visits_count(desk->visits), i;
    told *grown = realloc(desk->told, (n + 1ul) * sizeof *grown);

    if (!grown)
        return fsh_fail(err, FSH_MEMORY, "out of memory");
    desk->told = grown;
    desk->told_n = n;
    for (i = 0; i < n; i++) {
        fsh_visit visit;

        fsh_visits_get(desk->visits, i, &visit);
        desk->told[i] = (told){visit.number, {visit.person, visit.stranger}};
    }
    return FSH_OK;
}

/* Rows of all visits; whether there is something new about one. */
static bool
list_rows(fsh_desk *desk)
{
    fsh_text first = {0}, last = {0};
    char words[FSH_CALL_BYTES];
    bool news = false;
    uint32_t i;

    fsh_text_clear(&desk->ended);
    fsh_text_clear(&desk->under_way);
    for (i = 0; i < fsh_visits_count(desk->visits); i++) {
        fsh_attendance_entry entry;
        fsh_visit visit;

        fsh_visits_get(desk->visits, i, &visit);
        entry = entry_of(desk, &visit, words, &first, &last);
        news = news || visit.ended || news_of(desk, &visit) != FSH_DESK_WENT;
        fsh_attendance_row(&entry, visit.ended ? &desk->ended : &desk->under_way);
    }
    fsh_text_fini(&first);
    fsh_text_fini(&last);
    return news;
}

static void
tell_all(fsh_desk *desk)
{
    fsh_text first = {0}, last = {0};
    char words[FSH_CALL_BYTES];
    uint32_t i;

    for (i = 0; i < fsh_visits_count(desk->visits); i++) {
        fsh_attendance_entry entry;
        fsh_visit visit;

        fsh_visits_get(desk->visits, i, &visit);
        entry = entry_of(desk, &visit, words, &first, &last);
        tell_of(desk, &visit, &entry);
    }
    fsh_text_fini(&first);
    fsh_text_fini(&last);
}

static bool
same_text(const fsh_text *a, const fsh_text *b)
{
    return a->bytes == b->bytes && memcmp(fsh_text_get(a), fsh_text_get(b), a->bytes) == 0;
}

/* What is new is written at once, what has changed once a second. */
static fsh_status
write_rows(fsh_desk *desk, bool news, fsh_err *err)
{
    bool due = now_ms() >= desk->written_ms + WRITE_EVERY_MS;

    if (!desk->attendance || (!news && (!due || same_text(&desk->under_way, &desk->written))))
        return FSH_OK;
    desk->written_ms = now_ms();
    fsh_text_clear(&desk->written);
    fsh_text_add_bytes(&desk->written, fsh_text_get(&desk->under_way), desk->under_way.bytes);
    return fsh_attendance_write(desk->attendance, &desk->ended, &desk->under_way, err);
}

/* What is told is on disk by then. */
static fsh_status
report(fsh_desk *desk, fsh_err *err)
{
    bool news = list_rows(desk);
    fsh_status status = write_rows(desk, news, err);

    if (news)
        tell_all(desk);
    fsh_visits_drop_ended(desk->visits);
    return status ? status : remember(desk, err);
}

static fsh_status
need_tracks(fsh_desk *desk, uint32_t n, fsh_err *err)
{
    uint64_t *grown;

    if (n <= desk->tracks_room)
        return FSH_OK;
    grown = realloc(desk->tracks, n * sizeof *grown);
    if (!grown)
        return fsh_fail(err, FSH_MEMORY, "out of memory");
    desk->tracks = grown;
    desk->tracks_room = n;
    return FSH_OK;
}

fsh_status
fsh_desk_see(fsh_desk *desk, double seconds, const fsh_sighting *sightings, uint32_t n,
             fsh_called *called, fsh_err *err)
{
    fsh_status status = need_tracks(desk, n, err);

    if (!status)
        status = fsh_tracker_see(desk->tracker, seconds, sightings, n, desk->tracks, err);
    if (!status)
        status = fsh_visits_see(desk->visits, seconds, sightings, desk->tracks, n, called, err);
    return status ? status : report(desk, err);
}

fsh_status
fsh_desk_wait(fsh_desk *desk, double seconds, fsh_err *err)
{
    fsh_status status = fsh_visits_see(desk->visits, seconds, NULL, NULL, 0, NULL, err);

    return status ? status : report(desk, err);
}

fsh_status
fsh_desk_end(fsh_desk *desk, fsh_err *err)
{
    fsh_status status = fsh_visits_end(desk->visits, err);

    return status ? status : report(desk, err);
}

fsh_desk_counts
fsh_desk_counted(const fsh_desk *desk)
{
    fsh_desk_counts counts = desk->counts;

    counts.glimpses = fsh_visits_glimpses(desk->visits);
    return counts;
}
