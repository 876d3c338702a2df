#include "cli/progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cli/bar.h"

enum { BAR_EVERY_MS = 100, JSON_EVERY_MS = 1000, COLUMNS_UNKNOWN = 80 };

static uint64_t
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

static uint32_t
terminal_columns(void)
{
    struct winsize size;

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col > 1 ? size.ws_col - 1u : 1;
    return COLUMNS_UNKNOWN;
}

void
fsh_progress_start(fsh_progress *progress, fsh_log_mode mode)
{
    if (mode == FSH_LOG_AUTO)
        mode = isatty(STDERR_FILENO) ? FSH_LOG_BAR : FSH_LOG_JSON;
    *progress = (fsh_progress){.mode = mode, .started_ms = now_ms()};
}

double
fsh_progress_seconds(const fsh_progress *progress)
{
    return (double)(now_ms() - progress->started_ms) / 1000;
}

void
fsh_progress_clear(fsh_progress *progress)
{
    if (progress->line_open)
        fputs("\r\x1b[K", stderr);
    progress->line_open = false;
}

/* Bytes of so many characters, or of all. */
static size_t
bytes_of(const char *text, uint32_t columns)
{
    size_t n = 0;

    while (text[n] && (columns > 0 || ((unsigned char)text[n] & 0xC0) == 0x80)) {
        columns -= ((unsigned char)text[n] & 0xC0) != 0x80;
        n++;
    }
    return n;
}

/* Draws a line over the one before it; what the terminal has no room for is left out, because a line that is broken cannot
 * be drawn over. */
static void
draw(fsh_progress *progress, const char *line)
{
    fprintf(stderr, "\r%.*s\x1b[K", (int)bytes_of(line, terminal_columns()), line);
    fflush(stderr);
    progress->line_open = true;
}

/* Whether a line of progress is due; sets when the next one is. */
static bool
is_due(fsh_progress *progress)
{
    uint64_t now = now_ms();

    if (progress->mode == FSH_LOG_QUIET || now < progress->next_ms)
        return false;
    progress->next_ms = now + (progress->mode == FSH_LOG_BAR ? BAR_EVERY_MS : JSON_EVERY_MS);
    return true;
}

void
fsh_progress_scan(void *self, uint64_t samples, uint64_t identities)
{
    fsh_progress *progress = self;
    char line[128];

    if (!is_due(progress))
        return;
    if (progress->mode == FSH_LOG_BAR) {
        snprintf(line, sizeof line, "scanning: %llu samples of %llu identities", (unsigned long long)samples,
                 (unsigned long long)identities);
        draw(progress, line);
    } else {
        printf("{\"event\":\"scan\",\"samples\":%llu,\"identities\":%llu}\n", (unsigned long long)samples,
               (unsigned long long)identities);
    }
}

void
fsh_progress_page(const fsh_progress *progress, const char *address)
{
    if (!address[0])
        return;
    if (progress->mode == FSH_LOG_JSON)
        printf("{\"event\":\"page\",\"address\":\"%s\"}\n", address);
    else if (progress->mode == FSH_LOG_BAR)
        fprintf(stderr, "page          %s\n", address);
    fflush(stdout);
}

void
fsh_progress_planned(fsh_progress *progress, uint64_t samples, uint64_t identities, uint64_t units, bool again)
{
    progress->next_ms = 0;
    if (progress->mode == FSH_LOG_JSON)
        printf("{\"event\":\"planned\",\"samples\":%llu,\"identities\":%llu,\"units\":%llu,\"again\":%s}\n",
               (unsigned long long)samples, (unsigned long long)identities, (unsigned long long)units,
               again ? "true" : "false");
    fflush(stdout);
}

static uint64_t
all_rejected(const fsh_coordinator_totals *totals)
{
    uint64_t n = 0;
    int i;

    for (i = 0; i < FSH_REASON_N; i++)
        n += totals->rejected[i];
    return n;
}

/* A bar at done of n, with what the time so far says about the rate. */
static fsh_bar
bar_at(fsh_progress *progress, uint64_t done, uint64_t n)
{
    double elapsed = fsh_progress_seconds(progress), fresh;
    fsh_bar bar = {.done = n ? (double)done / (double)n : 1, .samples = done, .samples_n = n, .elapsed_s = elapsed, .left_s = -1};

    if (!progress->begun)
        progress->samples_before = done;
    progress->begun = true;
    fresh = (double)done - (double)progress->samples_before;
    if (elapsed > 1 && fresh > 0) {
        bar.rate = fresh / elapsed;
        bar.left_s = (double)(n - done) / bar.rate;
    }
    return bar;
}

static fsh_bar
bar_of(fsh_progress *progress, const fsh_coordinator_totals *totals)
{
    uint64_t done = totals->samples_done + totals->samples_running; /* a unit may be run twice at the end */
    fsh_bar bar = bar_at(progress, done < totals->samples ? done : totals->samples, totals->samples);

    bar.rejected = all_rejected(totals);
    bar.workers = totals->workers;
    return bar;
}

static void
draw_bar(fsh_progress *progress, const fsh_bar *bar)
{
    fsh_text line = {0};

    fsh_bar_line(bar, terminal_columns(), &line);
    draw(progress, fsh_text_get(&line));
    fsh_text_fini(&line);
}

/* Another step than before begins now. */
static void
turn_to(fsh_progress *progress, const char *text)
{
    if (strcmp(progress->step, text) == 0)
        return;
    snprintf(progress->step, sizeof progress->step, "%s", text);
    progress->step_began_ms = now_ms();
    progress->next_ms = 0;
}

static void
draw_step(fsh_progress *progress, uint64_t done, uint64_t of)
{
    fsh_bar bar = {.done = of ? (double)done / (double)of : 0, .samples = done, .samples_n = of, .left_s = -1,
                   .elapsed_s = (double)(now_ms() - progress->step_began_ms) / 1000, .pictures = true,
                   .text = progress->step};
    char line[128];

    snprintf(line, sizeof line, done ? "%s  %llu" : "%s", progress->step, (unsigned long long)done);
    if (!of) {
        draw(progress, line);
        return;
    }
    if (bar.elapsed_s > 1 && done)
        bar.left_s = (double)(of - done) * bar.elapsed_s / (double)done;
    draw_bar(progress, &bar);
}

void
fsh_progress_at(void *self, const char *text, uint64_t done, uint64_t of)
{
    fsh_progress *progress = self;

    turn_to(progress, text);
    if (!is_due(progress))
        return;
    if (progress->mode == FSH_LOG_BAR) {
        draw_step(progress, done, of);
        return;
    }
    printf("{\"event\":\"step\",\"text\":\"%s\"", progress->step);
    if (done || of)
        printf(",\"done\":%llu,\"of\":%llu", (unsigned long long)done, (unsigned long long)of);
    printf("}\n");
    fflush(stdout);
}

void
fsh_progress_input(fsh_progress *progress, const char *format)
{
    char text[sizeof progress->step];

    snprintf(text, sizeof text, "looking through the input as %s", format);
    fsh_progress_at(progress, text, 0, 0);
}

void
fsh_progress_step(fsh_progress *progress, const char *text)
{
    fsh_progress_at(progress, text, 0, 0);
}

fsh_listener
fsh_progress_listener(fsh_progress *progress)
{
    return (fsh_listener){fsh_progress_at, progress, NULL};
}

void
fsh_progress_images(fsh_progress *progress, uint64_t images, uint64_t of)
{
    fsh_bar bar = bar_at(progress, images, of);

    bar.pictures = true;
    if (!is_due(progress))
        return;
    if (progress->mode == FSH_LOG_BAR)
        draw_bar(progress, &bar);
    else
        printf("{\"event\":\"progress\",\"images\":%llu,\"of\":%llu,\"rate\":%.2f}\n", (unsigned long long)images,
               (unsigned long long)of, bar.rate);
    fflush(stdout);
}

static void
tell_progress(fsh_progress *progress, const fsh_coordinator_totals *totals)
{
    fsh_bar bar = bar_of(progress, totals);

    if (!is_due(progress))
        return;
    if (progress->mode == FSH_LOG_BAR) {
        draw_bar(progress, &bar);
        return;
    }
    printf("{\"event\":\"progress\",\"samples_done\":%llu,\"samples\":%llu,\"units_done\":%u,\"units\":%u,"
           "\"images\":%llu,\"rejected\":%llu,\"workers\":%u,\"rate\":%.2f,\"seconds\":%.1f}\n",
           (unsigned long long)bar.samples, (unsigned long long)bar.samples_n, totals->units_done,
           totals->units, (unsigned long long)totals->images, (unsigned long long)bar.rejected,
           totals->workers, bar.rate, bar.elapsed_s);
    fflush(stdout);
}

static void
tell_json(const fsh_coordinator_event *event)
{
    fsh_text line = {0};

    fsh_text_addf(&line, "{\"event\":\"%s\",\"text\":", fsh_coordinator_event_name(event->kind));
    fsh_text_add_json(&line, event->text);
    fsh_text_add(&line, ",\"host\":");
    fsh_text_add_json(&line, event->host);
    printf("%s,\"pid\":%u,\"unit\":%u,\"attempt\":%u}\n", fsh_text_get(&line), event->pid, event->unit,
           event->attempt);
    fflush(stdout);
    fsh_text_fini(&line);
}

/* On a terminal only trouble is told beside the bar. */
static void
tell_terminal(fsh_progress *progress, const fsh_coordinator_event *event)
{
    fsh_text line = {0};

    if (event->kind == FSH_COORDINATOR_UNIT_FAILED || event->kind == FSH_COORDINATOR_UNIT_BURIED)
        fsh_text_addf(&line, "unit %u, attempt %u%s: ", event->unit, event->attempt,
                      event->kind == FSH_COORDINATOR_UNIT_BURIED ? ", given up" : "");
    else if (event->kind != FSH_COORDINATOR_WARNING &&
             (event->kind != FSH_COORDINATOR_DRAINING || event->totals->units_done == event->totals->units))
        return;
    fsh_text_add_visible(&line, event->text);
    fsh_progress_clear(progress);
    fprintf(stderr, "%s\n", fsh_text_get(&line));
    fsh_text_fini(&line);
}

void
fsh_progress_told(void *self, const fsh_coordinator_event *event)
{
    fsh_progress *progress = self;

    if (event->kind == FSH_COORDINATOR_PROGRESS)
        tell_progress(progress, event->totals);
    else if (progress->mode == FSH_LOG_JSON)
        tell_json(event);
    else if (progress->mode == FSH_LOG_BAR)
        tell_terminal(progress, event);
}

void
fsh_progress_warn(fsh_progress *progress, const char *text)
{
    const fsh_coordinator_event event = {.kind = FSH_COORDINATOR_WARNING, .text = text, .host = ""};

    fsh_progress_told(progress, &event);
}
