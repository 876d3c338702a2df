/* The backend torch, where libtorch is there; and what is said where it, or a GPU, is not. */
#include "tests/stage_testing.h"

#include <math.h>

#include "base/files.h"
#include "stages/inference/net.h"
#include "stages/models.h"

#define SCRIPT "face_mask_detection_260.torchscript.pt"
#define SHARED FSH_SOURCE_DIR "/../shared/models/" SCRIPT

static fsh_status
load_text(const char *text, const char *device, fsh_card *card, fsh_err *err)
{
    fsh_models models = {.search = ""};
    char *folder = fsh_test_folder(), path[FSH_PATH_BYTES];
    fsh_status status = fsh_path_join(path, folder, "card.yaml", err);

    strcpy(models.device, device);
    if (!status)
        status = fsh_file_write(path, text, strlen(text), err);
    if (!status)
        status = fsh_card_load(&models, path, FSH_TASK_DETECT, card, err);
    fsh_test_remove(folder);
    return status;
}

static void
need_libtorch_and_the_script(void)
{
    fsh_err err = {""};

    if (!fsh_file_exists(SHARED) || fsh_net_check_torch("cpu", &err)) {
        print_message("skipped: no %s in ../shared, or %s\n", SCRIPT, err.text);
        skip();
    }
}

static void
run(const fsh_card *card, uint32_t at_once, uint32_t count, const fsh_image *picture,
    fsh_tensor outputs[2], fsh_net **net)
{
    const fsh_image *pictures[] = {picture, picture, picture};
    fsh_err err = {""};

    assert_ok(fsh_net_open_several(card, at_once, net, &err), err);
    assert_ok(fsh_net_run_several(*net, pictures, count, outputs, 2, &err), err);
}

static double
apart(const fsh_tensor *a, const fsh_tensor *b)
{
    double most = 0;
    size_t i;

    assert_int_equal(a->n, b->n);
    for (i = 0; i < a->n; i++)
        most = fmax(most, fabs((double)a->data[i] - (double)b->data[i]));
    return most;
}

static void
a_torchscript_gives_what_its_caffe_edition_gives(void **state)
{
    static fsh_card torch, caffe;
    fsh_models models = {.search = ""};
    fsh_tensor ours[2], theirs[2];
    fsh_net *net, *other;
    fsh_err err = {""};
    fsh_image picture;
    int i;

    (void)state;
    need_libtorch_and_the_script();
    assert_ok(load_text("{name: ssd_torch, task: detect, file: " SCRIPT ", width: 260, height: 260,"
                        " scale: 0.00392156862745098}",
                        "cpu", &torch, &err),
              err);
    assert_int_equal(torch.backend, FSH_BACKEND_TORCH);
    assert_ok(fsh_card_load(&models, "ssd", FSH_TASK_DETECT, &caffe, &err), err);
    fsh_test_paint(&picture, 260, 3);
    run(&torch, 3, 2, &picture, ours, &net);
    run(&caffe, 1, 1, &picture, theirs, &other);
    for (i = 0; i < 2; i++)
        assert_true(apart(&ours[i], &theirs[i]) < 1e-3);
    fsh_net_close(net);
    fsh_net_close(other);
    fsh_image_fini(&picture);
}

static void
what_is_no_torchscript_is_refused_with_its_name(void **state)
{
    static fsh_card card;
    char *folder = fsh_test_folder(), path[FSH_PATH_BYTES], text[FSH_PATH_BYTES + 100];
    fsh_err err = {""};
    fsh_net *net;

    (void)state;
    assert_ok(fsh_path_join(path, folder, "none.pt", &err), err);
    assert_ok(fsh_file_write(path, "nothing", 7, &err), err);
    snprintf(text, sizeof text, "{name: none, task: detect, file: %s, width: 8, height: 8}", path);
    if (load_text(text, "cpu", &card, &err))
        assert_text_has(err.text, "libtorch");
    else {
        assert_int_equal(fsh_net_open(&card, &net, &err), FSH_MODEL);
        assert_text_has(err.text, "none.pt");
    }
    fsh_test_remove(folder);
}

/* Not on the processor in silence: whatever is not run by libtorch says so, and libtorch where it
 * has no GPU. */
static void
a_gpu_is_refused_where_it_would_not_be_used(void **state)
{
    static const char *const wrong[] = {"gpu", "cuda:", "cuda:x", "cuda:12345678", "cpu:0"};
    static fsh_card card;
    fsh_models models = {.search = ""};
    fsh_err err = {""};
    size_t i;

    (void)state;
    strcpy(models.device, "cuda");
    assert_int_equal(fsh_card_load(&models, "faceshard_mobile", FSH_TASK_EMBED, &card, &err), FSH_USAGE);
    assert_text_has(err.text, "the model card faceshard_mobile is not run by libtorch");
    assert_ok(fsh_card_load(&models, "aligned", FSH_TASK_DETECT, &card, &err), err);
    assert_ok(fsh_card_load(&models, "hog", FSH_TASK_DETECT, &card, &err), err);
    for (i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        strcpy(models.device, wrong[i]);
        assert_int_equal(fsh_card_load(&models, "hog", FSH_TASK_DETECT, &card, &err), FSH_USAGE);
        assert_text_has(err.text, "allowed: cpu, cuda, cuda:N");
    }
    assert_int_equal(fsh_net_check_torch("cuda:999", &err), FSH_MODEL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_torchscript_gives_what_its_caffe_edition_gives),
        cmocka_unit_test(what_is_no_torchscript_is_refused_with_its_name),
        cmocka_unit_test(a_gpu_is_refused_where_it_would_not_be_used),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
