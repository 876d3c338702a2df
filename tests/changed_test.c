/* A photograph that changes while its unit is run: the face is not cut out of another picture. */
#include "tests/testing.h"

#include "coordinator/plan.h"
#include "stages/vision/decode.h"
#include "worker/unit.h"

enum { SIDE = 80 };

static uint32_t loads; /* of "changing.jpg" */

static fsh_status
load(const char *input, const char *identity, const char *sample, uint8_t **data, size_t *bytes,
     fsh_reason *reason, fsh_err *err)
{
    bool changed = strcmp(sample, "changing.jpg") == 0 && loads++ > 0;
    fsh_image image;
    fsh_status status = fsh_image_init(&image, SIDE, SIDE, 3);

    (void)input;
    (void)identity;
    *reason = FSH_REASON_NONE;
    if (status)
        return fsh_fail(err, status, "out of memory");
    memset(image.data, changed ? 200 : 100, fsh_image_bytes(&image));
    status = fsh_encode_jpeg(&image, 90, data, bytes, err);
    fsh_image_fini(&image);
    return status;
}

static fsh_status
scan(const char *input, const fsh_scan_sink *sink, fsh_err *err)
{
    fsh_status status = sink->identity(sink->self, "person", err);

    (void)input;
    if (!status)
        status = sink->sample(sink->self, "changing.jpg", err);
    return status ? status : sink->sample(sink->self, "steady.jpg", err);
}

static const fsh_reader unsteady = {.format = "folders", .summary = "", .scan = scan, .load = load};

static fsh_job *
make_job(const char *folder)
{
    static const char format[] = "input: {path: '%s'}\noutput: {path: '%s/out'}\nmodels: {detector: none}\n"
                                 "stages:\n  - detect: {min_side: 10}\n  - variants: [[], [augment]]\n";
    char text[1024], input[512];
    fsh_job *job;
    fsh_err err;

    snprintf(input, sizeof input, "%s/in", folder);
    assert_ok(fsh_folder_make(input, &err), err);
    snprintf(text, sizeof text, format, input, folder);
    assert_ok(fsh_job_parse("test", text, &job, &err), err);
    assert_ok(fsh_job_hash(job, &err), err);
    job->reader = &unsteady;
    return job;
}

static void
a_photograph_that_changes_on_the_way_is_rejected_and_the_next_run_sees_the_new_one(void **state)
{
    char *folder = fsh_test_folder();
    fsh_job *job = make_job(folder);
    fsh_unit_order order = {.unit = 0, .token = "t"};
    fsh_manifest_totals totals;
    fsh_plan_outcome outcome;
    fsh_runner *runner;
    fsh_report report;
    fsh_err err;

    (void)state;
    loads = 0;
    assert_ok(fsh_plan(job, NULL, NULL, &totals, &outcome, &err), err);
    assert_ok(fsh_runner_open(job, 1, &runner, &err), err);
    assert_ok(fsh_runner_unit(runner, &order, &report, &err), err);
    assert_int_equal(report.samples, 2);
    assert_int_equal(report.delivered, 1);
    assert_int_equal(report.images, 2);
    assert_int_equal(report.rejected[FSH_REASON_CHANGED], 1);
    assert_ok(fsh_runner_unit(runner, &order, &report, &err), err);
    assert_int_equal(report.delivered, 2);
    assert_int_equal(report.rejected[FSH_REASON_CHANGED], 0);
    fsh_runner_close(runner);
    fsh_job_free(job);
    fsh_test_remove(folder);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_photograph_that_changes_on_the_way_is_rejected_and_the_next_run_sees_the_new_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
