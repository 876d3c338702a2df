/* What `recognise` tells. Words go to standard output line by line, so that a pipe has them at
 * once. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/recognise.h"

static const double tell_every_s = 0.5, tell_json_every_s = 5;

static const char *const happened[] = {"came", "renamed", "went"};

static void
add_entry_json(const fsh_attendance_entry *entry, fsh_text *out)
{
    fsh_text_add(out, ",\"name\":");
    fsh_text_add_json(out, entry->name);
    fsh_text_addf(out, ",\"first_seen\":\"%s\",\"last_seen\":\"%s\",\"frames\":%" PRIu64,
                  entry->first_seen, entry->last_seen, entry->frames);
    if (isfinite(entry->distance))
        fsh_text_addf(out, ",\"best_distance\":%.4f", entry->distance);
    fsh_text_addf(out, ",\"mask_worn\":%s",
                  entry->masked < 0 ? "null"
                  : entry->masked   ? "true"
                                    : "false");
}

static void
add_entry_words(fsh_desk_event event, const fsh_attendance_entry *entry, fsh_text *out)
{
    static const char *const verbs[] = {"came", "it is", "left"};
    const char *seen = event == FSH_DESK_WENT ? entry->last_seen : entry->first_seen;

    fsh_text_addf(out, "%s  %-6s ", seen, verbs[event]);
    fsh_text_add_visible(out, entry->name);
    if (isfinite(entry->distance))
        fsh_text_addf(out, "  %.2f", entry->distance);
    if (entry->masked >= 0)
        fsh_text_add(out, entry->masked ? ", with a mask" : ", without a mask");
    if (event == FSH_DESK_WENT)
        fsh_text_addf(out, ", %" PRIu64 " frames", entry->frames);
}

static void
print_line(fsh_recognise *run, const fsh_text *line)
{
    fsh_progress_clear(&run->progress);
    printf("%s\n", fsh_text_get(line));
    fflush(stdout);
}

void
fsh_recognise_tell_event(void *self, fsh_desk_event event, const fsh_attendance_entry *entry)
{
    fsh_recognise *run = self;
    fsh_text line = {0};

    if (run->progress.mode == FSH_LOG_QUIET)
        return;
    if (run->progress.mode == FSH_LOG_JSON) {
        fsh_text_addf(&line, "{\"event\":\"%s\"", happened[event]);
        add_entry_json(entry, &line);
        fsh_text_add(&line, "}");
    } else {
        add_entry_words(event, entry, &line);
    }
    print_line(run, &line);
    fsh_text_fini(&line);
}

/* From the thread that reads: standard error, and one call for the whole line. */
void
fsh_recognise_tell_source(void *self, const char *text)
{
    const fsh_recognise *run = self;

    if (run->progress.mode != FSH_LOG_QUIET)
        fprintf(stderr, "%sfaceshard recognise: %s\n",
                run->progress.mode == FSH_LOG_BAR && isatty(STDERR_FILENO) ? "\r\x1b[K" : "", text);
}

void
fsh_recognise_tell_start(const fsh_recognise *run)
{
    const fsh_recognise_options *options = run->options;
    fsh_text line = {0};

    if (run->progress.mode != FSH_LOG_BAR)
        return;
    fsh_text_addf(&line, "gallery       %u people, %" PRIu64 " pictures, model ",
                  fsh_known_people(run->known), run->gallery.n);
    fsh_text_addf(&line, "%.*s, threshold %.2f\n", (int)strcspn(run->gallery.model, " "),
                  run->gallery.model, run->threshold);
    if (!fsh_eyes_tell_masks(run->eyes))
        fsh_text_add(&line, "masks         not told: no model that tells them is here "
                            "(`faceshard doctor ssd`)\n");
    if (options->attendance[0])
        fsh_text_addf(&line, "attendance    %s", options->attendance);
    if (options->attendance[0] && run->found.rows)
        fsh_text_addf(&line, ", has %" PRIu64 " rows", run->found.rows);
    if (options->attendance[0] && run->found.recovered)
        fsh_text_addf(&line, ", %" PRIu64 " of visits during which a run was killed",
                      run->found.recovered);
    if (options->attendance[0])
        fsh_text_add(&line, "\n");
    printf("%s", fsh_text_get(&line));
    fflush(stdout);
    fsh_text_fini(&line);
}

void
fsh_recognise_tell_progress(fsh_recognise *run)
{
    bool json = run->progress.mode == FSH_LOG_JSON;
    double now = fsh_recognise_now();
    uint64_t dropped = run->watch_counts.dropped;

    if (run->progress.mode == FSH_LOG_QUIET || now < run->next_told_s)
        return;
    run->next_told_s = now + (json ? tell_json_every_s : tell_every_s);
    if (json) {
        printf("{\"event\":\"progress\",\"frames\":%" PRIu64 ",\"dropped\":%" PRIu64
               ",\"faces\":%" PRIu64 ",\"rate\":%.2f}\n",
               run->frames, dropped, run->faces, run->rate);
        fflush(stdout);
    } else if (isatty(STDERR_FILENO)) {
        fprintf(stderr,
                "\r%" PRIu64 " frames, %.1f/s, %" PRIu64 " faces, %" PRIu64 " dropped\x1b[K",
                run->frames, run->rate, run->faces, dropped);
        run->progress.line_open = true;
    }
}

static void
print_end_json(const fsh_recognise *run, const fsh_desk_counts *desk, double seconds)
{
    int i;

    printf("{\"event\":\"done\",\"frames\":%" PRIu64 ",\"dropped\":%" PRIu64 ",\"damaged\":%" PRIu64
           ",\"lost\":%" PRIu64 ",\"faces\":%" PRIu64 ",\"visits\":%" PRIu64 ",\"unknown\":%" PRIu64
           ",\"glimpses\":%" PRIu64 ",\"seconds\":%.3f,\"steps\":{",
           run->frames, run->watch_counts.dropped, run->source_counts.damaged,
           run->source_counts.lost, run->faces, desk->visits, desk->of_unknown, desk->glimpses,
           seconds);
    for (i = 0; i < FSH_LOOKOUT_STEPS; i++)
        printf("%s\"%s\":%.3f", i ? "," : "", fsh_lookout_steps[i], run->watch_counts.step_s[i]);
    printf("}}\n");
}

static void
print_end_words(const fsh_recognise *run, const fsh_desk_counts *desk, double seconds)
{
    int i;

    printf("frames        %9" PRIu64 "  in %.1f s, %.1f a second\n", run->frames, seconds,
           seconds > 0 ? (double)run->frames / seconds : 0);
    if (run->watch_counts.dropped)
        printf("dropped       %9" PRIu64 "  because the machine was too slow for the source\n",
               run->watch_counts.dropped);
    if (run->source_counts.damaged)
        printf("damaged       %9" PRIu64 "  frames that cannot be read\n",
               run->source_counts.damaged);
    if (run->source_counts.lost)
        printf("lost          %9" PRIu64 "  times, and had back\n", run->source_counts.lost);
    printf("faces         %9" PRIu64 "\n", run->faces);
    printf("visits        %9" PRIu64 "  %" PRIu64 " of them of unknown people\n", desk->visits,
           desk->of_unknown);
    if (desk->glimpses)
        printf("glimpses      %9" PRIu64 "  faces of too few frames to be a visit\n",
               desk->glimpses);
    for (i = 0; i < FSH_LOOKOUT_STEPS && run->frames; i++)
        printf("%-13s %9.1f  ms of a processor a frame\n", fsh_lookout_steps[i],
               1000 * run->watch_counts.step_s[i] / (double)run->frames);
}

void
fsh_recognise_tell_end(fsh_recognise *run)
{
    fsh_desk_counts desk = fsh_desk_counted(run->desk);
    double seconds = fsh_recognise_now() - run->started_s;

    fsh_progress_clear(&run->progress);
    if (run->progress.mode == FSH_LOG_JSON)
        print_end_json(run, &desk, seconds);
    else if (run->progress.mode == FSH_LOG_BAR)
        print_end_words(run, &desk, seconds);
    fflush(stdout);
}
