/* Job files and --set: any text is refused with a message that names the place, or is a job that prints as a
 * text which is the same job. Lines before a line "---" are one --set each, all after it is the file. */
#include "tests/fuzz/fuzzing.h"

#include "job/job.h"

enum { SETS_MAX = 8 };

static char *
text_of(const uint8_t *data, size_t bytes)
{
    char *text = malloc(bytes + 1);
    size_t i;

    for (i = 0; i < bytes; i++)
        text[i] = data[i] ? (char)data[i] : ' ';
    text[bytes] = '\0';
    return text;
}

/* A job that was read is printed for the workers, who must read the same out of it. */
static void
check_job(const fsh_job *job)
{
    fsh_text first = {0}, second = {0};
    fsh_job *again;
    fsh_err err;

    fsh_job_print(job, &first);
    if (fsh_job_parse("printed", fsh_text_get(&first), &again, &err) != FSH_OK) {
        fprintf(stderr, "%s\n%s\n", err.text, fsh_text_get(&first));
        abort();
    }
    fsh_job_print(again, &second);
    FUZZ_CHECK(strcmp(fsh_text_get(&first), fsh_text_get(&second)) == 0);
    fsh_job_free(again);
    fsh_text_fini(&first);
    fsh_text_fini(&second);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    char *text = text_of(data, bytes), *rest = text, *line, path[64];
    const char *sets[SETS_MAX];
    fsh_job_overrides overrides = {"in", "out", sets, 0};
    fsh_err err = {""};
    fsh_job *job;
    fsh_status status;

    while (overrides.sets_n < SETS_MAX && strstr(rest, "---\n") && strncmp(rest, "---\n", 4) != 0 &&
           (line = strsep(&rest, "\n")))
        sets[overrides.sets_n++] = line;
    if (strncmp(rest, "---\n", 4) == 0)
        rest += 4;
    fuzz_file((const uint8_t *)rest, strlen(rest), path);
    status = fsh_job_read(path, &overrides, &job, &err);
    unlink(path);
    FUZZ_CHECK(!status || err.text[0]);
    if (!status) {
        check_job(job);
        fsh_job_free(job);
    }
    free(text);
    return 0;
}
