#include "bench/plan/large.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static FILE *
make(const char *path)
{
    FILE *file = fopen(path, "we");

    if (!file) {
        fprintf(stderr, "bench_plan: %s: %s\n", path, strerror(errno));
        exit(3);
    }
    return file;
}

static uint64_t
end(FILE *file, const char *path)
{
    long bytes = ftell(file);

    if (fclose(file) != 0 || bytes < 0) {
        fprintf(stderr, "bench_plan: %s: %s\n", path, strerror(errno));
        exit(3);
    }
    return (uint64_t)bytes;
}

static char *
picture(const large_plan *plan)
{
    char *data = malloc(plan->bytes + 1);

    if (!data)
        exit(3);
    memset(data, 'A', plan->bytes);
    data[plan->bytes] = '\0';
    return data;
}

static uint64_t
identity_of(const large_plan *plan, uint64_t sample)
{
    return (uint64_t)((double)sample * (double)plan->identities / (double)plan->samples);
}

/* The lines of one person follow each other, as in MS-Celeb-1M. */
uint64_t
large_tsv(const char *path, const large_plan *plan)
{
    FILE *file = make(path);
    char *data = picture(plan);
    uint64_t i;

    for (i = 0; i < plan->samples; i++) {
        fprintf(file, "m.%06llx\t%llu\thttp://example.org/a/picture.jpg\thttp://example.org/a\tFaceId-0\t"
                      "KsQsP3Pumj2B6UE/Vj4/Pg==\t", (unsigned long long)identity_of(plan, i),
                (unsigned long long)(i % 100));
        fwrite(data, 1, plan->bytes, file);
        fputc('\n', file);
    }
    free(data);
    return end(file, path);
}

/* A .csv whose lines lie anywhere. */
uint64_t
large_list(const char *path, const large_plan *plan)
{
    FILE *file = make(path);
    char *data = picture(plan), name[64];
    uint64_t i;

    fprintf(file, "path,label\n");
    for (i = 0; i < plan->samples; i++) {
        uint64_t sample = i * 7919 % plan->samples, identity = identity_of(plan, sample);
        int n = snprintf(name, sizeof name, "/m.%06llx/%llu-FaceId-0.jpg", (unsigned long long)identity,
                         (unsigned long long)sample);
        int more = plan->bytes > (uint64_t)n ? (int)(plan->bytes - (uint64_t)n) : 0;

        fprintf(file, "%.*s%s,m.%06llx\n", more, data, name, (unsigned long long)identity);
    }
    free(data);
    return end(file, path);
}

static void
put_record(FILE *file, uint64_t key, float label, const char *data, uint32_t bytes)
{
    uint32_t head[4] = {0xced7230aU, 24 + bytes, 0, 0};
    uint64_t ids[2] = {key, 0};

    memcpy(&head[3], &label, sizeof label);
    fwrite(head, 1, sizeof head, file);
    fwrite(ids, 1, sizeof ids, file);
    fwrite(data, 1, (bytes + 3) / 4 * 4, file);
}

/* Each step goes as far as makes neighbours strangers and meets all. */
uint64_t
large_records(const char *folder, const large_plan *plan)
{
    large_plan whole = {plan->samples, plan->identities, (plan->bytes + 3) / 4 * 4};
    char path[4096], index_path[4096];
    char *data = picture(&whole);
    FILE *file, *index;
    uint64_t i, at = 0;

    mkdir(folder, 0777);
    snprintf(path, sizeof path, "%s/train.rec", folder);
    snprintf(index_path, sizeof index_path, "%s/train.idx", folder);
    file = make(path);
    index = make(index_path);
    for (i = 0; i < plan->samples; i++) {
        uint64_t sample = i * 7919 % plan->samples;

        fprintf(index, "%llu\t%llu\n", (unsigned long long)sample + 1, (unsigned long long)at);
        put_record(file, sample + 1, (float)identity_of(plan, sample), data, (uint32_t)plan->bytes);
        at += 32 + whole.bytes;
    }
    free(data);
    end(index, index_path);
    return end(file, path);
}

static void
put_member(FILE *file, const char *name, const char *data, uint64_t bytes)
{
    static const char zeros[512] = {0};
    char head[513] = {0};
    unsigned sum = 0;
    int i;

    snprintf(head, 100, "%s", name);
    memcpy(head + 100, "0000644\0000000000\0000000000", 23);
    snprintf(head + 124, 12, "%011o", (unsigned)bytes);
    snprintf(head + 136, 12, "%011o", 0U);
    memset(head + 148, ' ', 8);
    head[156] = '0';
    memcpy(head + 257, "ustar\00000", 8);
    for (i = 0; i < 512; i++)
        sum += (unsigned char)head[i];
    snprintf(head + 148, 8, "%06o", sum);
    fwrite(head, 1, 512, file);
    fwrite(data, 1, bytes, file);
    fwrite(zeros, 1, (512 - bytes % 512) % 512, file);
}

/* A folder per identity, whose members lie anywhere. */
uint64_t
large_tar(const char *path, const large_plan *plan)
{
    FILE *file = make(path);
    char *data = picture(plan), name[100];
    uint64_t i;

    for (i = 0; i < plan->samples; i++) {
        uint64_t sample = i * 7919 % plan->samples;

        snprintf(name, sizeof name, "m.%06llx/%llu-FaceId-0.jpg",
                 (unsigned long long)identity_of(plan, sample), (unsigned long long)sample);
        put_member(file, name, data, plan->bytes);
    }
    put_member(file, "end/1.jpg", "", 0);
    free(data);
    return end(file, path);
}
