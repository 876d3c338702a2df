#include "stages/models.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/installed.h"
#include "stages/inference/net.h"
#include "stages/stage.h"

const fsh_arg fsh_card_args[] = {
    FSH_ARG_TEXT(fsh_card, name, "", "that a job file uses"),
    FSH_ARG_TEXT(fsh_card, file, "", "file with the weights; empty: built in"),
    FSH_ARG_TEXT(fsh_card, config, "", "second file (Caffe: network text)"),
    FSH_ARG_TEXT(fsh_card, sha256, "", "SHA-256 of file, hex; empty: not checked"),
    FSH_ARG_TEXT(fsh_card, config_sha256, "", "SHA-256 of config, hex; empty: not checked"),
    FSH_ARG_TEXT(fsh_card, licence, "", "of the weights"),
    FSH_ARG_TEXT(fsh_card, source, "", "where the weights come from"),
    FSH_ARG_TEXT(fsh_card, accuracy, "", "what was measured, and how"),
    FSH_ARG_TEXT(
        fsh_card, detector, "",
        "embedders: card of the detector whose points suit it best; of several, separated by "
        "commas, `faceshard embed` takes the first whose file is here"),
    FSH_ARG_REAL(fsh_card, recognise_threshold, 0, 2, "0.8",
                 "embedders: distance under which `faceshard recognise` takes a face for a person"),
    /* From here on the settings decide what the model gives: see hash_card. */
    FSH_ARG_CHOICE(fsh_card, task, "detect|landmarks|embed", "embed", "what the model does"),
    FSH_ARG_CHOICE(
        fsh_card, backend, "opencv|dlib|builtin|onednn|torch|auto", "auto",
        "what runs it; auto: torch for a .pt file, onednn where it can, otherwise opencv"),
    FSH_ARG_CHOICE(
        fsh_card, precision, "float32|bf16", "float32",
        "what is multiplied; bf16: bfloat16, summed in float32, by onednn on a processor "
        "that has it"),
    FSH_ARG_INT(fsh_card, bf16_pixels, 0, 1 << 26, "8",
                "bf16: px that a layer gives, up to which it is in bf16; 0: layers of any size"),
    FSH_ARG_INT(fsh_card, width, 0, 8192, "0", "px of the input"),
    FSH_ARG_INT(fsh_card, height, 0, 8192, "0", "px of the input"),
    FSH_ARG_CHOICE(fsh_card, channels, "rgb|bgr", "rgb", "order of the input's channels"),
    FSH_ARG_REALS(fsh_card, mean, "0",
                  "input = (value - mean) * scale; one number or one a channel"),
    FSH_ARG_REALS(fsh_card, scale, "1", "see mean"),
    FSH_ARG_TEXT(fsh_card, input, "", "name of the input; empty: the only one"),
    FSH_ARG_TEXT(fsh_card, outputs, "",
                 "names of the outputs, separated by commas; empty: the only one"),
    FSH_ARG_INT(fsh_card, dimension, 0, 512, "0", "numbers in an embedding"),
    FSH_ARG_INT(fsh_card, at_once, 0, FSH_TOGETHER_MAX, "0",
                "embedders: faces that are run together; 0: 16 where the file has over 16 MiB of "
                "weights, which "
                "then go through the processor once for all of them, otherwise 1"),
    FSH_ARG_BOOL(fsh_card, normalise, "yes", "scale embeddings to length one"),
    FSH_ARG_CHOICE(fsh_card, present, "aligned|crop", "aligned",
                   "how an embedder sees a face: five points on the ArcFace template, or the crop"),
    FSH_ARG_REAL(fsh_card, distance_threshold, 0, 2, "1.25",
                 "mean distance to the identity's other images over which clean removes"),
    FSH_ARG_CHOICE(fsh_card, decoding, "none|ssd|yunet|hog|aligned", "none",
                   "what a detector's output means"),
    FSH_ARG_REAL(fsh_card, confidence, -10, 1, "0.5", "score over which a detection counts"),
    FSH_ARG_REAL(fsh_card, overlap, 0, 1, "0.4",
                 "IoU over which the weaker of two detections goes"),
    FSH_ARG_REALS(fsh_card, feature_maps, "", "SSD: cells on a side"),
    FSH_ARG_REALS(fsh_card, anchor_sizes, "",
                  "SSD: two for each feature map, share of the picture"),
    FSH_ARG_REALS(fsh_card, anchor_ratios, "", "SSD: width over height"),
    FSH_ARG_REALS(fsh_card, variances, "", "SSD: of x, y, width, height"),
    FSH_ARG_REAL(
        fsh_card, landmark_scale, 0, 4, "0",
        "side of the square box for landmarks over the face's longer side; 0: the face box"),
    FSH_ARG_REAL(fsh_card, landmark_shift, -1, 1, "0",
                 "shift of that box down, over the face's height"),
    FSH_ARG_END};

static const char *const task_names[] = {"detect", "landmarks", "embed"};

/* Where cards and files are looked for, in this order; the texts are owned. */
typedef struct places {
    char *folder[16];
    uint32_t n;
} places;

static void
places_add(places *p, const char *folder, size_t bytes)
{
    if (bytes && p->n < sizeof p->folder / sizeof *p->folder)
        p->folder[p->n++] = strndup(folder, bytes);
}

static void
places_add_list(places *p, const char *folders, const char *separators)
{
    while (folders && *folders) {
        size_t blank = strspn(folders, " "), bytes = strcspn(folders + blank, separators);

        places_add(p, folders + blank, bytes);
        folders += blank + bytes;
        folders += *folders != 0;
    }
}

/* /usr/share/dlib is where Debian's libdlib-data puts the landmark model. */
static void
places_init(places *p, const fsh_models *models)
{
    char installed[FSH_PATH_BYTES];

    memset(p, 0, sizeof *p);
    places_add_list(p, models->search, ",");
    places_add_list(p, getenv("FACESHARD_MODELS"), ",:");
    if (fsh_installed_find("share/faceshard/models", installed)) {
        places_add_list(p, installed, ",");
    } else {
        places_add_list(p, FSH_SOURCE_DIR "/models", ",");
        places_add_list(p, FSH_SOURCE_DIR "/../shared/models", ",");
    }
    places_add_list(p, "/usr/share/dlib", ",");
}

static void
places_fini(places *p)
{
    while (p->n)
        free(p->folder[--p->n]);
}

static bool
find_in(const char *folder, const char *name, char path[FSH_PATH_BYTES])
{
    return folder && !fsh_path_join(path, folder, name, NULL) && fsh_file_exists(path);
}

/* The same text, a slash at the end aside. */
static bool
is_folder(const char *one, const char *other)
{
    size_t n = strlen(one), k = strlen(other);

    n -= n > 1 && one[n - 1] == '/';
    k -= k > 1 && other[k - 1] == '/';
    return n == k && memcmp(one, other, n) == 0;
}

/* Says what was looked for and where, and what to do about it. */
static fsh_status
not_found(const places *p, const char *what, const char *name, const char *first, fsh_err *err)
{
    fsh_text list = {0};
    fsh_status status;
    uint32_t i;

    if (first)
        fsh_text_addf(&list, "\n  %s", first);
    for (i = 0; i < p->n; i++)
        if (p->folder[i] && !(first && is_folder(first, p->folder[i])))
            fsh_text_addf(&list, "\n  %s", p->folder[i]);
    status = fsh_fail(err, FSH_MODEL,
                      "%s %s is in none of these folders:%s\nPut it into one of them, or name its "
                      "folder in models.search of the job file or in $FACESHARD_MODELS.",
                      what, name, fsh_text_get(&list));
    fsh_text_fini(&list);
    return status;
}

static bool
ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), k = strlen(end);

    return n > k && !strcmp(text + n - k, end);
}

static bool
is_path(const char *name)
{
    return strchr(name, '/') || ends_with(name, ".yaml");
}

static fsh_status
find_card(const places *p, const char *name, char path[FSH_PATH_BYTES], fsh_err *err)
{
    char file[FSH_ARG_TEXT_BYTES + 8];
    uint32_t i;

    if (is_path(name))
        return fsh_file_exists(name) ? fsh_path_join(path, "", name, err)
                                     : fsh_fail(err, FSH_MODEL, "%s: there is no such card", name);
    snprintf(file, sizeof file, "%s.yaml", name);
    for (i = 0; i < p->n; i++)
        if (find_in(p->folder[i], file, path))
            return FSH_OK;
    return not_found(p, "the model card", file, NULL, err);
}

enum { MANY_WEIGHTS_BYTES = 16 << 20 };

/* Weights that do not stay in the processor's cache from one face to the next are better read once
 * for several. How many there are decides the last bits of a result, so it depends on the file
 * alone. */
static void
settle_at_once(fsh_card *card)
{
    struct stat file;

    if (card->at_once == 0)
        card->at_once = card->task == FSH_TASK_EMBED && card->file_path[0] &&
                                stat(card->file_path, &file) == 0 &&
                                file.st_size > MANY_WEIGHTS_BYTES
                            ? FSH_TOGETHER_MAX
                            : 1;
}

/* A list from a card must have 1 or 3 numbers to mean something for each channel. */
static bool
is_for_channels(const fsh_reals *list)
{
    return list->n == 1 || list->n == 3;
}

static fsh_status
read_card(const char *path, fsh_model_task task, fsh_card *card, fsh_err *err)
{
    fsh_tree *tree;
    fsh_status status = fsh_args_defaults(fsh_card_args, card, err);

    if (status || (status = fsh_tree_read(path, &tree, err)))
        return status;
    status = fsh_args_read(fsh_card_args, card, fsh_tree_root(tree), path, err);
    fsh_tree_free(tree);
    if (status)
        return status;
    if (card->task != (int32_t)task)
        return fsh_fail(err, FSH_USAGE, "%s: this model is for '%s', not for '%s'", path,
                        task_names[card->task], task_names[task]);
    if (!is_for_channels(&card->mean) || !is_for_channels(&card->scale))
        return fsh_fail(err, FSH_USAGE, "%s: mean and scale have one number, or one a channel",
                        path);
    if (!card->name[0])
        return fsh_fail(err, FSH_USAGE, "%s: a card must have a name", path);
    return FSH_OK;
}

/* Finds one file of a card, beside it first, and checks its sum; an empty sum is filled in. */
static fsh_status
find_file(const places *p, const char *beside, const char *name, char sum[FSH_ARG_TEXT_BYTES],
          char path[FSH_PATH_BYTES], fsh_err *err)
{
    char hex[FSH_HASH_HEX];
    fsh_hash hash;
    fsh_status status;
    bool found;
    uint32_t i;

    if (!name[0])
        return FSH_OK;
    found = name[0] == '/' ? find_in("", name, path) : find_in(beside, name, path);
    for (i = 0; !found && i < p->n; i++)
        found = find_in(p->folder[i], name, path);
    if (!found)
        return not_found(p, "the model file", name, beside, err);
    if ((status = fsh_hash_file(path, &hash, NULL, err)))
        return status;
    fsh_hash_hex(&hash, hex);
    if (sum[0] && strcmp(sum, hex))
        return fsh_fail(err, FSH_MODEL,
                        "%s: its SHA-256 is %s, but the card says %s: damaged, or another edition",
                        path, hex, sum);
    snprintf(sum, FSH_ARG_TEXT_BYTES, "%s", hex);
    return FSH_OK;
}

static bool
is_cuda(const char *device)
{
    return strncmp(device, "cuda", 4) == 0;
}

/* Licence, source and the like may be reworded without making any result out of date. */
static fsh_status
hash_card(fsh_card *card, fsh_err *err)
{
    const fsh_arg *settings = fsh_card_args;
    fsh_text text = {0};

    while (strcmp(settings->name, "task"))
        settings++;
    fsh_text_addf(&text, "%s %s ", card->sha256, card->config_sha256);
    fsh_args_print(settings, card, &text);
    if (is_cuda(card->device))
        fsh_text_add(&text, " cuda");
    if (!fsh_text_ok(&text))
        return fsh_fail(err, FSH_MEMORY, "no memory for a model card");
    card->file_hash = fsh_hash_of(text.data, text.bytes);
    fsh_text_fini(&text);
    return FSH_OK;
}

/* Which backend it is decides the result, so it is settled before the hash is made. */
static fsh_status
settle_backend(fsh_card *card, fsh_err *err)
{
    fsh_err why = {""};
    fsh_status status;

    if (card->backend != FSH_BACKEND_AUTO)
        return FSH_OK;
    card->backend_chosen = true;
    card->backend = FSH_BACKEND_OPENCV;
    if (!card->file[0])
        return FSH_OK;
    if (ends_with(card->file, ".pt")) {
        card->backend = FSH_BACKEND_TORCH;
        return FSH_OK;
    }
    status = fsh_net_choose(card, &card->backend, &why);
    return status ? fsh_fail(err, status, "%s", why.text) : FSH_OK;
}

/* `cuda` or `cuda:N`. */
static bool
is_device(const char *text)
{
    if (strcmp(text, "cpu") == 0 || strcmp(text, "cuda") == 0)
        return true;
    return strncmp(text, "cuda:", 5) == 0 && text[5] && strlen(text) < 9 &&
           strspn(text + 5, "0123456789") == strlen(text + 5);
}

/* Never done on the processor in silence: who asks for a GPU is told what is not run by it. */
static fsh_status
check_device(const fsh_models *models, fsh_card *card, fsh_err *err)
{
    strcpy(card->device, models->device[0] ? models->device : "cpu");
    if (!is_device(card->device))
        return fsh_fail(err, FSH_USAGE, "there is no device '%s'; allowed: cpu, cuda, cuda:N",
                        card->device);
    if (card->backend == FSH_BACKEND_TORCH)
        return fsh_net_check_torch(card->device, err);
    if (is_cuda(card->device) && (card->file[0] || card->task == FSH_TASK_EMBED) &&
        card->backend != FSH_BACKEND_DLIB)
        return fsh_fail(err, FSH_USAGE,
                        "--device %s: the model card %s is not run by libtorch, which alone has "
                        "that device; take a card with backend: torch, or say --device cpu",
                        card->device, card->name);
    return FSH_OK;
}

/* Refused instead of done in float32: one job would have two results. */
static fsh_status
check_precision(const fsh_card *card, fsh_err *err)
{
    if (card->precision == FSH_PRECISION_FLOAT32)
        return FSH_OK;
    if (!fsh_net_has_bf16())
        return fsh_fail(err, FSH_MODEL,
                        "the model card %s says precision: bf16, but this processor has no "
                        "bfloat16 instructions; say precision: float32",
                        card->name);
    if (card->backend != FSH_BACKEND_ONEDNN)
        return fsh_fail(err, FSH_MODEL,
                        "the model card %s says precision: bf16, which only the backend onednn "
                        "has; say precision: float32",
                        card->name);
    return FSH_OK;
}

fsh_status
fsh_card_load(const fsh_models *models, const char *name_or_path, fsh_model_task task,
              fsh_card *card, fsh_err *err)
{
    char path[FSH_PATH_BYTES], beside[FSH_PATH_BYTES];
    places p;
    fsh_status status;

    memset(card, 0, sizeof *card);
    places_init(&p, models);
    if ((status = find_card(&p, name_or_path, path, err)) ||
        (status = read_card(path, task, card, err)))
        goto done;
    snprintf(beside, sizeof beside, "%.*s", (int)(fsh_path_name(path) - path), path);
    if (!(status = find_file(&p, beside, card->file, card->sha256, card->file_path, err)) &&
        !(status =
              find_file(&p, beside, card->config, card->config_sha256, card->config_path, err)))
        status = settle_backend(card, err);
    if (!status)
        status = check_precision(card, err);
    if (!status)
        status = check_device(models, card, err);
    settle_at_once(card);
    if (!status)
        status = hash_card(card, err);
done:
    places_fini(&p);
    return status;
}

double
fsh_card_channel(const fsh_reals *list, int c)
{
    return list->at[list->n == 3 ? c : 0];
}
