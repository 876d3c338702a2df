/* `faceshard recognise`: who comes to the door. */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/command.h"
#include "cli/recognise.h"
#include "door/video.h"
#include "stages/vision/decode.h"

static const fsh_arg rows[] = {
    FSH_ARG_TEXT(fsh_recognise_options, gallery, "",
                 "who is known: a folder of pictures, or an embeddings file"),
    FSH_ARG_REAL_AUTO(fsh_recognise_options, threshold, 0, 2, "auto",
                      "distance under which a face is a person's; auto: the model card's"),
    FSH_ARG_INT(fsh_recognise_options, agree, 1, FSH_AGREE_WINDOW, "3",
                "of the last 10 frames of a face, how many must name the same person"),
    FSH_ARG_REAL(fsh_recognise_options, pause, 0.1, 86400, "30",
                 "seconds out of sight after which a visit has ended"),
    FSH_ARG_REAL(fsh_recognise_options, settle, 0, 3600, "2",
                 "seconds in sight without a name after which somebody is unknown"),
    FSH_ARG_TEXT(fsh_recognise_options, attendance, "attendance.csv",
                 "write a row per person and visit to this file; empty: none"),
    FSH_ARG_BOOL(fsh_recognise_options, add, "false",
                 "add to the rows that the attendance of a video has already; a camera's does"),
    FSH_ARG_TEXT(fsh_recognise_options, out, "",
                 "write a video with boxes and names to this file: .avi, .mp4 or .mkv"),
    FSH_ARG_BOOL(fsh_recognise_options, show, "false", "show it in a window; q ends"),
    FSH_ARG_BOOL(fsh_recognise_options, no_frames, "false",
                 "write no pictures of anybody: refuses --out"),
    FSH_ARG_TEXT(fsh_recognise_options, masks, "auto",
                 "card of a detector that tells masks, where the face detector does not; auto: ssd "
                 "where it is; empty: none"),
    FSH_ARG_REAL(fsh_recognise_options, masks_every, 0, 3600, "0.5",
                 "seconds after which a face is looked at for a mask again; 0: in every frame"),
    FSH_ARG_INT(fsh_recognise_options, min_face, 0, 4096, "40",
                "px: smaller faces are not looked at"),
    FSH_ARG_REAL(fsh_recognise_options, rate, 0.01, 1000, "25",
                 "frames a second of a folder of frames"),
    FSH_ARG_REAL(fsh_recognise_options, seconds, 0, 1e9, "0",
                 "end after so many seconds of the clock; 0: at the end of the source"),
    FSH_EMBEDDED_ROWS(fsh_recognise_options),
    {"log", FSH_ARG_TYPE_CHOICE, offsetof(fsh_recognise_options, embedded.log), 0, 0, FSH_LOG_MODES,
     "auto", "how it is told who comes; auto: words on a terminal, else json"},
    FSH_ARG_END};

static atomic_bool *to_stop;

static void
on_interrupt(int number)
{
    (void)number;
    atomic_store(to_stop, true);
}

static void
heed_interrupts(fsh_recognise *run)
{
    struct sigaction action = {.sa_handler = on_interrupt};

    to_stop = &run->stop;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* Told before anything is loaded. */
static fsh_status
check(const fsh_recognise_options *options, fsh_err *err)
{
    if (!options->gallery[0])
        return fsh_fail(err, FSH_USAGE,
                        "--gallery is missing: a folder with a folder of pictures per person, or "
                        "what `faceshard gallery build` has made of one");
    if (options->no_frames && options->out[0])
        return fsh_fail(err, FSH_USAGE,
                        "--no-frames writes no pictures, --out a video of them: "
                        "leave one of both out");
    return options->show ? fsh_video_check_display(err) : FSH_OK;
}

/* A camera has no end: who stops it is content. */
static fsh_status
conclude(fsh_recognise *run, fsh_status status, bool stopped, fsh_err *err)
{
    fsh_recognise_tell_end(run);
    if (!status && stopped && !fsh_source_is_live(run->source))
        return fsh_fail(err, FSH_INTERRUPTED, "stopped before the end of %s", run->source_name);
    return status;
}

static fsh_status
run_command(const fsh_invocation *invocation, fsh_err *err)
{
    fsh_recognise run = {.options = invocation->options, .source_name = invocation->words[0]};
    fsh_status status = check(run.options, err);

    if (status)
        return status;
    umask(077);
    fsh_vision_init();
    fsh_progress_start(&run.progress, (fsh_log_mode)run.options->embedded.log);
    status = fsh_recognise_open(&run, err);
    if (!status) {
        heed_interrupts(&run);
        fsh_recognise_tell_start(&run);
        status = fsh_recognise_run(&run, err);
        status = conclude(&run, status, run.interrupted, err);
    }
    fsh_recognise_close(&run);
    return status;
}

const fsh_command fsh_command_recognise = {
    "recognise",
    "SOURCE",
    1,
    1,
    "who comes to a camera, or is in a video",
    "SOURCE is a camera (0 is the first one), an address (rtsp://..., http://...), a video file, "
    "or "
    "a folder of frames.\n"
    "Every face is compared with the gallery; what several frames of it agree on is its name. "
    "Whoever is not known stays\n"
    "unknown, with a number. attendance.csv has a row per person and visit: name, first seen, last "
    "seen, frames, best\n"
    "distance, mask worn; it is written as it happens, and a kill loses nothing. Boxes in --out "
    "and "
    "--show are green where\n"
    "a mask is worn, red where none is, amber where that is not known. A camera that is lost is "
    "tried until it is back;\n"
    "where the machine is too slow for it, frames are dropped and counted; of a file none is. "
    "Ctrl-C ends it.\n"
    "What is stored, and where, is in docs/recognise.md. Examples:\n\n"
    "  faceshard gallery build staff.h5 staff --twins masks\n"
    "  faceshard recognise 0 --gallery staff.h5 --show\n"
    "  faceshard recognise rtsp://door/stream --gallery staff.h5 --no-frames\n"
    "  faceshard recognise lobby.mp4 --gallery staff --out lobby.avi\n",
    rows,
    sizeof(fsh_recognise_options),
    false,
    run_command};
