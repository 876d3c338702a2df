/* Cards of templates: any text beside a picture is refused with a message, or gives a template. */
#include "tests/fuzz/fuzzing.h"

#include <sys/stat.h>

#include "base/files.h"
#include "stages/templates.h"
#include "stages/vision/decode.h"

enum { SIDE = 8 };

static const fsh_anchor anchors[] = {{"left", 0, 0.5f}, {"right", 1, 0.5f}, {"chin", 0.5f, 1}};
static const fsh_template_kind kind = {"masks", "strap", anchors, 3};

static char root[64];

static void
remove_root(void)
{
    char command[96];

    snprintf(command, sizeof command, "rm -rf '%s'", root);
    FUZZ_CHECK(system(command) == 0);
}

/* A folder with one small picture; its card is written anew for every input. */
static void
make_root(void)
{
    char path[128];
    uint8_t pixels[SIDE * SIDE * 4], *data;
    fsh_image image = {.width = SIDE, .height = SIDE, .channels = 4, .data = pixels};
    size_t bytes;

    memset(pixels, 255, sizeof pixels);
    snprintf(root, sizeof root, "/tmp/faceshard-fuzz-XXXXXX");
    FUZZ_CHECK(mkdtemp(root));
    atexit(remove_root);
    snprintf(path, sizeof path, "%s/masks", root);
    FUZZ_CHECK(mkdir(path, 0700) == 0);
    FUZZ_CHECK(fsh_encode_png(&image, &data, &bytes, NULL) == FSH_OK);
    snprintf(path, sizeof path, "%s/masks/a.png", root);
    FUZZ_CHECK(fsh_file_write(path, data, bytes, NULL) == FSH_OK);
    free(data);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    char path[128];
    fsh_templates *templates;
    fsh_err err = {""};
    FILE *card;

    if (!root[0])
        make_root();
    snprintf(path, sizeof path, "%s/masks/a.yaml", root);
    card = fopen(path, "w");
    FUZZ_CHECK(card && fwrite(data, 1, bytes, card) == bytes && fclose(card) == 0);
    if (fsh_templates_open(root, &kind, 112, &templates, &err) == FSH_OK)
        fsh_templates_close(templates);
    else
        FUZZ_CHECK(err.text[0]);
    return 0;
}
