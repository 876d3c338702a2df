/* `faceshard gallery`: who is known to `recognise`. */
#include <string.h>
#include <sys/stat.h>

#include "cli/command.h"
#include "cli/gallery.h"
#include "stages/vision/decode.h"

static const fsh_arg rows[] = {
    FSH_ARG_TEXT(fsh_gallery_options, twins, "",
                 "build, add: of each picture also twins: masks, glasses, sunglasses, by commas"),
    FSH_ARG_TEXT(fsh_gallery_options, name, "",
                 "add: whose pictures they are; otherwise the name of the folder or file says it"),
    FSH_ARG_BOOL(fsh_gallery_options, json, "false", "list: as JSON"),
    FSH_EMBEDDED_ROWS(fsh_gallery_options),
    {"log", FSH_ARG_TYPE_CHOICE, offsetof(fsh_gallery_options, embedded.log), 0, 0, FSH_LOG_MODES,
     "auto", "how progress is told"},
    FSH_ARG_END};

static fsh_status
wrong(const char *action, const char *words, fsh_err *err)
{
    return fsh_fail(err, FSH_USAGE,
                    "expected: faceshard gallery %s GALLERY.h5%s; see `faceshard "
                    "gallery --help`",
                    action, words);
}

static fsh_status
run(const fsh_invocation *invocation, fsh_err *err)
{
    const fsh_gallery_options *options = invocation->options;
    const char *action = invocation->words[0], *gallery = invocation->words[1];
    const char *const *what = invocation->words + 2;
    uint32_t n = invocation->words_n - 2;

    umask(077);
    fsh_vision_init();
    if (strcmp(action, "build") == 0)
        return n == 1 ? fsh_gallery_build(options, gallery, what[0], err)
                      : wrong(action, " FOLDER", err);
    if (strcmp(action, "add") == 0)
        return n ? fsh_gallery_add(options, gallery, what, n, err)
                 : wrong(action, " PICTURE...", err);
    if (strcmp(action, "remove") == 0)
        return n ? fsh_gallery_remove(gallery, what, n, err) : wrong(action, " NAME...", err);
    if (strcmp(action, "list") == 0)
        return n == 0 ? fsh_gallery_list(options, gallery, err) : wrong(action, "", err);
    return fsh_fail(err, FSH_USAGE, "gallery %s: allowed are build, add, remove and list", action);
}

const fsh_command fsh_command_gallery = {
    "gallery",
    "build|add|remove|list GALLERY.h5 ...",
    2,
    10000,
    "who is known to `recognise`",
    "A gallery is an embeddings file (docs/embeddings-format.md): of each person one picture or "
    "more, as numbers; the\n"
    "pictures themselves are not in it. It is made readable by its owner only.\n\n"
    "  build GALLERY.h5 FOLDER      of a folder with a folder per person, or of pictures NAME.jpg\n"
    "  add GALLERY.h5 PICTURE...    of files, or folders of files, of somebody (--name)\n"
    "  remove GALLERY.h5 NAME...    all that is there of somebody\n"
    "  list GALLERY.h5              who is there, with how many pictures and twins\n\n"
    "With --twins each picture is there again with a mask, glasses or sunglasses put on, so that a "
    "passport picture finds\n"
    "who comes in a mask. Examples:\n\n"
    "  faceshard gallery build staff.h5 staff --twins masks,sunglasses\n"
    "  faceshard gallery add staff.h5 new/zoe.jpg --name 'Zoe Unlu' --twins masks\n",
    rows,
    sizeof(fsh_gallery_options),
    false,
    run};
